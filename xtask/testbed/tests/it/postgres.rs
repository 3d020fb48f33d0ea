use testbed::{Postgres, RunDirectory, Tools, fresh_database, fresh_name, shared_postgres};

#[test]
fn databases_are_fresh_and_can_be_copied() {
    let postgres = shared_postgres();
    let (template, url) = fresh_database("template");
    assert!(url.ends_with(&template));
    postgres.psql(&template, "CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2)").unwrap();
    let copy = fresh_name("copy");
    postgres.create_database_from(&template, &copy).unwrap();
    assert_eq!(postgres.psql(&copy, "SELECT sum(n), count(*) FROM t").unwrap(), "3|2");
    let error = postgres.psql(&copy, "SELECT nothing").unwrap_err();
    assert!(error.to_string().contains("nothing"), "{error:#}");
    postgres.drop_database(&copy).unwrap();
    assert!(postgres.psql(&copy, "SELECT 1").is_err());
    assert!(!format!("{postgres:?}").contains(postgres.password()));
}

#[test]
fn a_cluster_survives_a_crash_and_a_new_start() {
    let run = RunDirectory::create("testbed-it").unwrap();
    let tools = Tools::new().unwrap();
    let directory = run.path().join("postgres");
    let mut postgres = Postgres::start(&tools, &directory).unwrap();
    postgres.psql("postgres", "CREATE TABLE t AS SELECT 42 AS n").unwrap();
    postgres.crash_and_restart().unwrap();
    assert_eq!(postgres.psql("postgres", "SELECT n FROM t").unwrap(), "42");
    postgres.stop_immediately().unwrap();
    assert!(postgres.psql("postgres", "SELECT n FROM t").is_err());
    postgres.start_again().unwrap();
    assert_eq!(postgres.psql("postgres", "SELECT n FROM t").unwrap(), "42");
    postgres.stop();
    let postgres = Postgres::start(&tools, &directory).unwrap();
    assert_eq!(postgres.psql("postgres", "SELECT n FROM t").unwrap(), "42");
    postgres.stop();
    run.succeeded().unwrap();
}
