use std::time::Duration;

use testbed::{Prometheus, RunDirectory, Tools, free_port, wait_until};

#[test]
fn a_target_that_does_not_answer_is_down() {
    let directory = RunDirectory::disposable("prometheus").unwrap();
    let nobody = ([127, 0, 0, 1], free_port().unwrap()).into();
    let targets = [("absent".to_owned(), nobody)];
    let server = Prometheus::start(&Tools::new().unwrap(), directory.path(), &targets).unwrap();
    wait_until("the target to be down", Duration::from_secs(20), || {
        let series = server.query("up{process=\"absent\"}")?;
        Ok(series.iter().any(|(_, value)| value.abs() < f64::EPSILON))
    })
    .unwrap();
}
