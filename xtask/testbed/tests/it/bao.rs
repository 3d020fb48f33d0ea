use serde_json::{Value, json};
use testbed::{BaoServer, RunDirectory, Tools};

#[test]
fn secrets_survive_a_crash_and_are_sealed() {
    let run = RunDirectory::create("testbed-it").unwrap();
    let mut server = BaoServer::start(&Tools::new().unwrap(), run.path().join("bao")).unwrap();
    assert!(!format!("{server:?}").contains(server.root_token()));
    server.put("one/two", &json!({"key": "value"})).unwrap();
    server
        .put_policy("reader", "path \"secret/data/one/*\" { capabilities = [\"read\"] }")
        .unwrap();
    let token = server.create_token(&json!({"policies": ["reader"], "ttl": "1h"})).unwrap();
    let url = server.url();
    server.crash().unwrap();
    server.start_again().unwrap();
    assert_eq!(server.url(), url);
    let read = |path| server.call("GET", path, &token, &Value::Null).unwrap();
    let (status, answer) = read("secret/data/one/two");
    assert_eq!((status, &answer["data"]["data"]["key"]), (200, &json!("value")), "{answer}");
    assert_eq!(read("secret/data/other").0, 403, "the policy ends at its path");
    server.seal().unwrap();
    assert_eq!(read("secret/data/one/two").0, 503);
    server.stop();
    run.succeeded().unwrap();
}
