use testbed::{RunDirectory, TemporalServer, Tools};

#[test]
fn a_schedule_survives_a_new_start() {
    let run = RunDirectory::create("testbed-it").unwrap();
    let tools = Tools::new().unwrap();
    let directory = run.path().join("temporal");
    let server = TemporalServer::start(&tools, &directory).unwrap();
    let create = "schedule create --schedule-id nightly --interval 24h --workflow-id nightly \
                  --task-queue none --type Dispatch";
    server.cli(&create.split_whitespace().collect::<Vec<_>>()).unwrap();
    server.stop();
    let mut server = TemporalServer::start(&tools, &directory).unwrap();
    // Nor does a crash harm it, and clients find it where it was.
    let address = server.address();
    server.crash().unwrap();
    server.start_again().unwrap();
    assert_eq!(server.address(), address);
    let described = server.cli(&["schedule", "describe", "--schedule-id", "nightly"]).unwrap();
    assert!(described.contains("Dispatch"), "{described}");
    server.stop();
    run.succeeded().unwrap();
}
