//! `cargo xtask new event`.

use anyhow::{Context as _, Result, bail};
use codegen::model::{FieldType, Part, Scalar};

use super::name::{Name, field};
use super::plan::Plan;
use super::project::Project;
use super::template::fill;
use super::{Next, proto, rust};

/// Adds an event (or a job) to a stream, and whoever publishes and handles it.
///
/// The message gets a key field, which is a part of the subject, and a `request_id`, which makes its
/// deduplication key. A publisher's port gets the publisher. A handling service gets a handler that
/// sets the event aside, its place in `handlers::spawn`, and a test.
///
///     cargo xtask new event InvoicePaid --stream athlete --publisher billing --handler consumer
///     cargo xtask new event InvoiceDue --stream invoice --package stravasync.billing.v1
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Name of the message: what has happened, or what is to be done.
    name: String,
    /// The stream that keeps it. One that no contract declares is declared in `--package`.
    #[arg(long)]
    stream: String,
    /// The proto package for it; that of the stream when absent.
    #[arg(long)]
    package: Option<String>,
    /// The field that says whom it is about; `<stream>_id` when absent.
    #[arg(long, value_name = "FIELD")]
    key: Option<String>,
    /// A deployable that publishes it. May be given several times.
    #[arg(long, value_name = "DEPLOYABLE")]
    publisher: Vec<String>,
    /// A deployable that handles it. May be given several times.
    #[arg(long, value_name = "DEPLOYABLE")]
    handler: Vec<String>,
}

/// The field that tells what caused an event.
const REQUEST_ID: &str = "request_id";

impl Arguments {
    pub(super) fn plan(&self, project: &Project, plan: &mut Plan) -> Result<Next> {
        let name = Name::of_type(&self.name)?;
        let stream = Name::kebab(&self.stream).context("the stream")?;
        let key = self.key.clone().unwrap_or_else(|| format!("{}_id", stream.snake));
        if field(&key)? == REQUEST_ID {
            bail!(
                "the event has a `{REQUEST_ID}` anyhow: choose another key, which says whom it is about"
            );
        }
        named_once(&self.publisher)?;
        named_once(&self.handler)?;
        let mut packages = project.model.packages.iter();
        let home = packages.find(|it| it.streams.iter().any(|it| it.name == stream.kebab));
        let package = match (&self.package, home) {
            (Some(package), _) => package.clone(),
            (None, Some(home)) => home.name.clone(),
            (None, None) => bail!(
                "no contract declares stream `{}`: say with --package where to declare it",
                stream.kebab
            ),
        };
        let file = file_of_package(project, &package)?;
        project.refuse_taken(&package, std::slice::from_ref(&name.camel))?;
        plan.edit(&file, |text| {
            let text = proto::append(text, &message(&name, &stream.kebab, &key));
            let text = proto::import(&text, "treaty/v1/event.proto");
            Ok(if home.is_some() { text } else { proto::option(&text, &declared(&stream.kebab)) })
        })?;
        let full_name = format!("{package}.{}", name.camel);
        let mut next = vec![format!(
            "say what {} carries in {file}, and run `cargo xtask codegen`",
            name.camel
        )];
        for publisher in &self.publisher {
            project.deployable(publisher)?;
            let deployable = project.file_of(&format!("deployable:{publisher}"))?;
            plan.edit(&deployable, |text| proto::add_to_list(text, "publishes", &full_name))?;
            let port = publisher.replace('-', "_");
            next.push(format!("publish it: `{port}_port::Publishers` has `{}`", name.snake));
        }
        for handler in &self.handler {
            project.deployable(handler)?;
            let mut handling = Handling::of(&full_name, handler)?;
            handling.sample = Some(format!(
                "{} {{ {key}: \"ada\".to_owned(), request_id: \"r1\".to_owned() }}",
                name.camel
            ));
            next.extend(add_handler(project, plan, &handling)?);
        }
        Ok(next)
    }
}

fn named_once(deployables: &[String]) -> Result<()> {
    let again = |index: usize| deployables[..index].contains(&deployables[index]);
    match (0..deployables.len()).find(|index| again(*index)) {
        Some(index) => bail!("`{}` is named twice: name it once", deployables[index]),
        None => Ok(()),
    }
}

/// The file of a package that holds its events, or else its first definition.
fn file_of_package(project: &Project, name: &str) -> Result<String> {
    let package = project.model.package(name);
    let package = package.with_context(|| {
        let names = project.model.packages.iter().map(|package| package.name.as_str());
        format!("there is no package `{name}`; there are: {}", names.collect::<Vec<_>>().join(", "))
    })?;
    let events = package.events.iter().map(|event| &event.full_name);
    let services = package.services.iter().map(|service| &service.full_name);
    let messages = package.messages.iter().map(|message| &message.full_name);
    let first = events.chain(services).chain(messages).next();
    project.file_of(first.with_context(|| format!("package `{name}` holds nothing yet"))?)
}

fn message(name: &Name, stream: &str, key: &str) -> String {
    let Name { camel, kebab, .. } = name;
    format!(
        "// Event: says what has happened.\nmessage {camel} {{\n  option (treaty.v1.event) = {{\n    \
         stream: \"{stream}\"\n    subject: \"{stream}.{kebab}.{{{key}}}\"\n    message_id: \
         \"{{{key}}}:{{request_id}}:{kebab}\"\n  }};\n\n  // Whom it is about.\n  string {key} = 1;\n  \
         // What caused it: two with the same request are one.\n  string request_id = 2;\n}}\n"
    )
}

fn declared(stream: &str) -> String {
    format!(
        "option (treaty.v1.stream) = {{\n  name: \"{stream}\"\n  retention: RETENTION_LIMITS\n  \
         max_age: {{seconds: 604800}}\n}};\n"
    )
}

/// An event and a deployable that is to handle it.
pub(super) struct Handling {
    full_name: String,
    event: Name,
    package: String,
    deployable: Name,
    /// An event in Rust; made of the model for one that is there already.
    sample: Option<String>,
}

impl Handling {
    pub(super) fn of(full_name: &str, deployable: &str) -> Result<Self> {
        let (package, message) = full_name.rsplit_once('.').context("an event has a package")?;
        Ok(Self {
            full_name: full_name.to_owned(),
            event: Name::of_type(message)?,
            package: package.to_owned(),
            deployable: Name::kebab(deployable)?,
            sample: None,
        })
    }
}

/// Grants the event to the deployable and writes its handler.
pub(super) fn add_handler(project: &Project, plan: &mut Plan, handling: &Handling) -> Result<Next> {
    let Handling { full_name, event, package, deployable, .. } = handling;
    let folder = format!("services/{}", deployable.kebab);
    let file = deployable_file(project, deployable)?;
    plan.edit(&file, |text| {
        let entry = format!(
            "  handles: {{\n    event: \"{full_name}\"\n    ack_wait: {{seconds: 30}}\n    \
             max_deliver: 10\n    backoff: [{{seconds: 1}}, {{seconds: 5}}, {{seconds: 30}}]\n  }}\n"
        );
        proto::add_to_deployable(text, &entry)
    })?;
    let handlers = format!("{folder}/src/handlers/mod.rs");
    if !plan.has(&handlers) {
        add_messaging(plan, deployable, &folder)?;
    }
    if !rust::has_function(&plan.read(&handlers)?, "spawn", &["connection", "shutdown", "options"])
    {
        bail!(
            "{handlers} has no `fn spawn(connection, shutdown, …, options)` to add a handler to: write the \
             handler by hand, as CONTRIBUTING.md says"
        );
    }
    let module = package.split('.').skip(1).collect::<Vec<_>>().join("_");
    let port = deployable.snake.clone() + "_port";
    let sample = match &handling.sample {
        Some(sample) => sample.clone(),
        None => sample(project, full_name)?,
    };
    let values = [
        ("Event", event.camel.as_str()),
        ("event", &event.snake),
        ("port", &port),
        ("module", &module),
        ("sample", &sample),
    ];
    let handler = format!("{folder}/src/handlers/{}.rs", event.snake);
    plan.create(&handler, fill(include_str!("templates/handlers/handler.txt"), &values))?;
    plan.edit(&handlers, |text| {
        let text = rust::module(text, &format!("mod {};", event.snake));
        let statements = fill(include_str!("templates/handlers/spawn.txt"), &values);
        rust::add_statements(&text, "spawn", &statements)
    })?;
    Ok(vec![format!("handle it in {handler}")])
}

/// The file that declares a deployable, there already or planned.
fn deployable_file(project: &Project, name: &Name) -> Result<String> {
    match project.file_of(&format!("deployable:{}", name.kebab)) {
        Ok(file) => Ok(file),
        Err(_) => Ok(format!("{}/{}.proto", project.deployables()?.0, name.snake)),
    }
}

/// Gives a service that `new service` has written its connection to NATS.
fn add_messaging(plan: &mut Plan, name: &Name, folder: &str) -> Result<()> {
    let app = format!("{folder}/src/app.rs");
    let text = plan.read(&app)?;
    if !rust::has_function(&text, "start", &["config", "shutdown"])
        || !text.contains("let health = Health::new();")
        || !rust::ends_with_ok(&text, "start")
    {
        bail!(
            "{folder} is not laid out as `new service` does it (`fn start(config, …, shutdown)` with a \
             `health` and `Ok(())` at its end): write the handler by hand, as CONTRIBUTING.md says"
        );
    }
    let values = [("name", name.kebab.as_str()), ("snake", &name.snake)];
    let handlers = fill(include_str!("templates/handlers/mod.txt"), &values);
    plan.create(&format!("{folder}/src/handlers/mod.rs"), handlers)?;
    plan.edit(&app, |text| {
        let start = "    let options = config.handlers.options();\n    \
                     handlers::start(&config.nats, &options, &health, shutdown).await?;";
        Ok(rust::import(&rust::add_statements(text, "start", start)?, "crate::handlers"))
    })?;
    plan.edit(&format!("{folder}/src/lib.rs"), |text| {
        let text = rust::module(text, "pub mod handlers;");
        let note = "//! - [`handlers`] holds one file for each event.";
        let last = text.lines().rfind(|line| line.starts_with("//! - ")).map(str::to_owned);
        Ok(match last {
            Some(last) => text.replacen(&last, &format!("{last}\n{note}"), 1),
            None => text,
        })
    })?;
    plan.edit(&format!("{folder}/src/config.rs"), |text| {
        let fields = "    /// NATS.\n    #[serde(default)]\n    pub nats: NatsConfig,\n    \
                      /// How messages are handled in this process.\n    #[serde(default)]\n    \
                      pub handlers: HandlersConfig,\n";
        let text = rust::add_to_block(text, "pub struct Config", fields)?;
        Ok(rust::import(&text, "treaty_nats::{HandlersConfig, NatsConfig}"))
    })?;
    plan.edit(&format!("{folder}/Cargo.toml"), |text| {
        let mut text = text.to_owned();
        for line in ["async-trait.workspace = true", "treaty-nats.workspace = true"] {
            text = rust::dependency(&text, "[dependencies]", line)?;
        }
        for line in [
            "tokio = { workspace = true, features = [\"test-util\"] }",
            "treaty-nats = { workspace = true, features = [\"testing\"] }",
        ] {
            text = rust::dependency(&text, "[dev-dependencies]", line)?;
        }
        Ok(text)
    })
}

/// An event that is there already, in Rust, with texts where its subject and its key need them.
fn sample(project: &Project, full_name: &str) -> Result<String> {
    let (_, event) = project.model.event(full_name).context("the event is declared")?;
    let message = project.model.message(&event.rust).context("an event is a message")?;
    let parts = event.subject.iter().chain(&event.message_id);
    let named: Vec<_> = parts
        .filter_map(|part| match part {
            Part::Field { name, .. } => Some(name),
            Part::Literal(_) => None,
        })
        .collect();
    let texts: Vec<_> = message
        .fields
        .iter()
        .filter(|field| named.contains(&&field.name))
        .filter(|field| field.ty == FieldType::Scalar(Scalar::String))
        .map(|field| format!("{}: \"ada\".to_owned()", field.rust_name))
        .collect();
    let rest = if texts.len() < message.fields.len() { "..Default::default()" } else { "" };
    Ok(format!("{} {{ {}, {rest} }}", event.name, texts.join(", ")))
}
