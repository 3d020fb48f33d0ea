//! `cargo xtask new workflow`.

use anyhow::{Context as _, Result, bail};

use super::name::Name;
use super::plan::Plan;
use super::project::Project;
use super::template::fill;
use super::{Next, proto, rust};

/// The one service whose code may know Temporal's SDK: `cargo xtask rules` sees to it.
const RUNNER: &str = "worker";

/// Adds a workflow with its activity, on a task queue of their own, to the worker.
///
/// The workflow calls the activity and ends; the activity is where your work belongs, and fails for
/// good until it is written. The worker runs both, and its port can start and schedule the workflow.
///
///     cargo xtask new workflow SendReminders --activity SendPage
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Name of the workflow: a verb and what it acts on.
    name: String,
    /// Name of its activity.
    #[arg(long, value_name = "NAME")]
    activity: String,
    /// The proto package for them; that of the worker's first workflows when absent.
    #[arg(long)]
    package: Option<String>,
}

impl Arguments {
    pub(super) fn plan(&self, project: &Project, plan: &mut Plan) -> Result<Next> {
        let (workflow, activity) = (Name::of_type(&self.name)?, Name::of_type(&self.activity)?);
        if workflow.camel == activity.camel {
            bail!("a workflow and its activity need two names");
        }
        let runner = project.deployable(RUNNER)?;
        let (package, file) = self.home(project, &runner.runs)?;
        let mut taken = vec![format!("{}Service", workflow.camel)];
        for name in [&workflow.camel, &activity.camel] {
            taken.extend(["Request", "Response"].map(|kind| name.clone() + kind));
        }
        project.refuse_taken(&package, &taken)?;
        let queue = format!("{}-{}", project.organisation()?, workflow.kebab);
        let module = package.split('.').skip(1).collect::<Vec<_>>().join("_");
        let port = format!("{RUNNER}_port");
        let service = format!("{}_service", workflow.snake);
        let values = [
            ("Workflow", workflow.camel.as_str()),
            ("workflow", &workflow.snake),
            ("Activity", &activity.camel),
            ("queue", &queue),
            ("port", &port),
            ("module", &module),
            ("service", &service),
        ];
        plan.edit(&file, |text| {
            let contract = fill(include_str!("templates/workflow/contract.txt"), &values);
            Ok(proto::import(&proto::append(text, &contract), "treaty/v1/workflow.proto"))
        })?;
        let full_name = format!("{package}.{}Service", workflow.camel);
        plan.edit(&project.file_of(&format!("deployable:{RUNNER}"))?, |text| {
            let text = proto::add_to_list(text, "runs", &full_name)?;
            proto::add_to_list(&text, "starts", &full_name)
        })?;
        add_code(plan, &workflow, &activity, &values)?;
        Ok(vec![
            format!("say what both take and give in {file}, and run `cargo xtask codegen`"),
            format!("do the work in services/{RUNNER}/src/activities/{}.rs", activity.snake),
            format!(
                "start it: `{port}::Starters` has `{}`, which starts, awaits and schedules",
                workflow.snake
            ),
        ])
    }

    /// The package and its file.
    fn home(&self, project: &Project, runs: &[String]) -> Result<(String, String)> {
        let of_package = |name: &str| {
            let packages = project.model.packages.iter();
            let mut named = packages.filter(|package| package.name == name);
            let package = named.next()?;
            let workflows = package.workflows.iter().map(|service| &service.full_name);
            let services = package.services.iter().map(|service| &service.full_name);
            workflows.chain(services).next().cloned()
        };
        let inside = match &self.package {
            Some(name) => of_package(name)
                .with_context(|| format!("there is no package `{name}` with a service"))?,
            None => runs
                .first()
                .cloned()
                .context("the worker runs no workflows yet: say the package with --package")?,
        };
        let package = inside.rsplit_once('.').map_or("", |(package, _)| package).to_owned();
        Ok((package, project.file_of(&inside)?))
    }
}

/// The workflow, the activity, their tests, and their place in the worker.
fn add_code(
    plan: &mut Plan,
    workflow: &Name,
    activity: &Name,
    values: &[(&str, &str)],
) -> Result<()> {
    let folder = format!("services/{RUNNER}/src");
    let app = format!("{folder}/app.rs");
    let parameters = ["config", "temporal", "shutdown"];
    if !rust::has_function(&plan.read(&app)?, "spawn_workers", &parameters) {
        bail!("{app} has no `fn spawn_workers(config, temporal, shutdown, …)` to add a worker to");
    }
    plan.create(
        &format!("{folder}/workflows/{}.rs", workflow.snake),
        fill(include_str!("templates/workflow/workflow.txt"), values),
    )?;
    plan.create(
        &format!("{folder}/activities/{}.rs", activity.snake),
        fill(include_str!("templates/workflow/activity.txt"), values),
    )?;
    plan.edit(&format!("{folder}/workflows/mod.rs"), |text| {
        let text = rust::module(text, &format!("mod {};", workflow.snake));
        let Name { camel, snake, .. } = workflow;
        let exported = format!("pub use {snake}::{camel}Workflow;\n");
        let worker = format!("pub(crate) use {snake}::worker as {snake}_worker;\n");
        Ok(rust::append(&text, &(exported + &worker)))
    })?;
    plan.edit(&format!("{folder}/activities/mod.rs"), |text| {
        let text = rust::module(text, &format!("mod {};", activity.snake));
        let exported = format!("pub use {}::{}Activity;\n", activity.snake, activity.camel);
        Ok(rust::append(&text, &exported))
    })?;
    plan.edit(&app, |text| {
        let statements = fill(include_str!("templates/workflow/spawn.txt"), values);
        rust::add_statements(text, "spawn_workers", &statements)
    })
}
