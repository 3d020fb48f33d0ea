//! Messages that cannot be handled, among those that can.

use std::time::{Duration, Instant};

use async_nats::jetstream::context::PublishAckFuture;
use treaty_error::{Code, Error};
use treaty_nats::{DeadLetterFilter, Event, HandlerSpec, headers};

use super::{idle, publish_raw, publish_to, send_raw, soak};
use crate::support::{dead_letters, eventually, header, job, raw, run, shared, spec};

/// What the panics here say.
const ON_PURPOSE: &str = "on purpose";

job!(Clean, "poison_without");
job!(Poisoned, "poison_with");

/// Handles this many messages, every hundredth of which is poison if that is asked for.
/// Returns the messages that can be handled, a second.
async fn rate<E: Event>(
    durable: &'static str,
    messages: usize,
    poison: bool,
    make: fn(String) -> E,
) -> f64 {
    let connection = shared().await;
    let (_, context) = raw().await;
    let _ = context.delete_stream(E::STREAM.name).await;
    connection.ensure_streams(&[E::STREAM]).await.unwrap();
    let subject = format!("{}.x", E::STREAM.name);
    let mut set_aside = 0;
    let mut confirmations = Vec::new();
    for number in 0..messages {
        if !(poison && number % 100 == 50) {
            let payload = make(number.to_string()).encode_to_vec();
            confirmations.push(send_raw::<E>(&context, &subject, payload).await);
            // The client lets no more than 5,000 be open.
            if confirmations.len() == 1_000 {
                confirm(&mut confirmations).await;
            }
            continue;
        }
        set_aside += 1;
        let payload = match number / 100 % 3 {
            0 => vec![0xff; 64],
            1 => make("panic".to_owned()).encode_to_vec(),
            // As large as the server admits, so that no reason fits beside it.
            _ => vec![0xff; (1 << 20) - 60],
        };
        publish_raw::<E>(&context, &subject, payload).await;
    }
    confirm(&mut confirmations).await;
    let spec = HandlerSpec {
        concurrency: 32,
        max_deliver: 3,
        backoff: const { &[Duration::from_millis(100)] },
        ..spec::<E>(durable)
    };
    let good = (messages - set_aside) as u64;
    let begun = Instant::now();
    let running = run(&connection, spec, move |_, event: E| async move {
        assert!(!event.subject().unwrap().ends_with("panic"), "{ON_PURPOSE}");
        // What handlers do: they wait for somebody.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(())
    });
    eventually("the good ones", || async { running.stats.snapshot().acked == good }).await;
    let rate = good as f64 / begun.elapsed().as_secs_f64();
    eventually("the letters", || async {
        running.stats.snapshot().dead_lettered == set_aside as u64
    })
    .await;
    idle(&connection, &spec).await;
    if poison {
        check_letters(&dead_letters(&context, &spec).await, set_aside);
    }
    running.stop().await;
    rate
}

async fn confirm(open: &mut Vec<PublishAckFuture>) {
    for confirmation in open.drain(..) {
        confirmation.await.unwrap();
    }
}

/// Keeps panics that are on purpose from being printed with their stack, which in a test's build
/// takes longer than all the rest.
fn hush() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload_as_str() != Some(ON_PURPOSE) {
                usual(panic);
            }
        }));
    });
}

fn check_letters(letters: &[async_nats::jetstream::message::StreamMessage], expected: usize) {
    assert_eq!(letters.len(), expected);
    for letter in letters {
        let reason = header(letter, headers::REASON).unwrap();
        let known = reason.starts_with("INVALID_ARGUMENT: undecodable")
            || reason == "INTERNAL: the handler panicked";
        assert!(known, "{reason}");
    }
    let panics = letters.iter().filter(|one| header(one, headers::ATTEMPTS) == Some("3")).count();
    let left = letters.iter().filter(|one| header(one, headers::PAYLOAD_LEFT).is_some()).count();
    assert!(panics > 0 && left > 0, "{panics} panics, {left} too large");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_is_set_aside_and_the_rest_is_as_fast_as_without() {
    // On a busy machine rounds of a second differ by more than what is looked for, so that the
    // short form, beside other tests, is content with less.
    let (rounds, messages, bar) = if soak() { (9, 20_000, 0.95) } else { (3, 3_000, 0.8) };
    hush();
    let mut ratios = Vec::new();
    for round in 0..rounds {
        let name: &'static str = Box::leak(format!("c{round}").into_boxed_str());
        let without = rate::<Clean>(name, messages, false, Clean::new).await;
        let with = rate::<Poisoned>(name, messages, true, Poisoned::new).await;
        println!("without poison {without:.0} a second, with 1 % {with:.0}");
        ratios.push(with / without);
    }
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios[rounds / 2];
    println!("1 % poison: {ratio:.3} of the rate without, median of {rounds} rounds");
    assert!(ratio >= bar, "{ratios:?}");
}

#[tokio::test]
async fn a_letter_without_room_for_its_payload_is_driven_again_from_the_stream() {
    job!(Job, "poison_large");
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    // Room for the headers of a message, and not for a reason of 512 characters beside.
    let id = "x".repeat((1 << 20) - 700);
    publish_to(&context, "poison_large.x", &Job { id: id.clone() }).await;
    let spec = spec::<Job>("c");
    let failing = run(&connection, spec, |_, _: Job| async {
        Err(Error::new(Code::NotFound, "why ".repeat(500)))
    });
    eventually("the letter", || async { failing.stats.snapshot().dead_lettered == 1 }).await;
    failing.stop().await;
    let raw_letters = dead_letters(&context, &spec).await;
    assert!(header(&raw_letters[0], headers::PAYLOAD_LEFT).is_some());
    assert!(raw_letters[0].payload.is_empty());

    let letters = connection.dead_letters();
    let filter = DeadLetterFilter {
        stream: Some(Job::STREAM.name.to_owned()),
        ..DeadLetterFilter::default()
    };
    let found: Vec<_> = {
        use futures::TryStreamExt as _;
        letters.find(filter).await.unwrap().try_collect().await.unwrap()
    };
    letters.redrive(&found[0], None).await.unwrap();
    let mended = run(&connection, spec, move |_, job: Job| {
        let whole = job.id == id;
        async move {
            assert!(whole, "the payload is the one that was published");
            Ok(())
        }
    });
    eventually("the ack", || async { mended.stats.snapshot().acked == 1 }).await;
    mended.stop().await;
}
