use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use testbed::{Fault, TcpProxy, wait_until};

const PATIENCE: Duration = Duration::from_secs(20);

/// A server that sends back what it gets, line by line.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut reader = stream.try_clone().unwrap();
                std::io::copy(&mut reader, &mut stream)
            });
        }
    });
    address
}

/// A connection through the proxy, on which reading does not wait for ever.
fn connect(proxy: &TcpProxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn says(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(text)?;
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back)?;
    Ok(back)
}

#[test]
fn bytes_pass_both_ways_until_the_connection_is_cut() {
    let proxy = TcpProxy::start(echo()).unwrap();
    let mut stream = connect(&proxy);
    assert_eq!(says(&mut stream, b"PING\r\n").unwrap(), b"PING\r\n");
    assert_eq!(proxy.connections(), 1);
    proxy.cut();
    // An end or a reset; either is the end.
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
    wait_until("no connection", PATIENCE, || Ok(proxy.connections() == 0)).unwrap();
    assert_eq!(says(&mut connect(&proxy), b"again\r\n").unwrap(), b"again\r\n");
}

#[test]
fn a_black_hole_keeps_what_it_swallows_until_it_ends() {
    let proxy = TcpProxy::start(echo()).unwrap();
    let mut stream = connect(&proxy);
    assert!(says(&mut stream, b"first\r\n").is_ok());
    proxy.set(Fault::Blackhole);
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(says(&mut stream, b"held\r\n").is_err(), "nothing comes back");
    proxy.set(Fault::None);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut back = [0; 6];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"held\r\n");
}

#[test]
fn published_messages_vanish_by_subject() {
    let proxy = TcpProxy::for_nats(echo()).unwrap();
    let mut stream = connect(&proxy);
    proxy.set(Fault::SwallowPublishes { prefix: "pulls.".to_owned() });
    stream.write_all(b"PUB pulls.one 2\r\nhi\r\nPING\r\n").unwrap();
    let mut back = [0; 6];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"PING\r\n");
    assert_eq!(proxy.swallowed(), 1);
}

#[test]
fn new_connections_are_refused_and_bytes_are_throttled() {
    let proxy = TcpProxy::start(echo()).unwrap();
    let mut stream = connect(&proxy);
    assert!(says(&mut stream, b"in\r\n").is_ok());
    proxy.set(Fault::Refuse);
    let mut refused = connect(&proxy);
    assert!(says(&mut refused, b"out\r\n").is_err());
    assert!(says(&mut stream, b"still\r\n").is_ok(), "those that are there go on");
    proxy.set(Fault::Throttle { bytes_per_second: 20 });
    let begun = Instant::now();
    stream.write_all(b"ten bytes\n").unwrap();
    let mut back = [0; 10];
    stream.read_exact(&mut back).unwrap();
    assert!(begun.elapsed() > Duration::from_millis(400), "{:?}", begun.elapsed());
}
