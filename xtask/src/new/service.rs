//! `cargo xtask new service`.

use anyhow::{Result, bail};

use super::event::{Handling, add_handler};
use super::name::Name;
use super::plan::Plan;
use super::project::Project;
use super::rpc::{Access, Home, Rpc};
use super::template::fill;
use super::{Next, proto, rust};

/// Adds a deployable service: its contracts, its crate, its tests.
///
/// Without further words it answers a service of its own by gRPC and HTTP, with one RPC to begin with.
/// With `--handles` it answers none and handles events. `new rpc` and `new event` add more to either.
///
///     cargo xtask new service billing
///     cargo xtask new service billing --rpc GetInvoice --http "get /v1/invoices/{invoice_id}"
///     cargo xtask new service mailer --handles AthleteSyncEnded
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Name of the deployable, of its crate and of its proto package, such as `billing`.
    name: String,
    /// Its first RPC; `Get` and the name when absent.
    #[arg(long, value_name = "NAME", conflicts_with = "handles")]
    rpc: Option<String>,
    /// HTTP binding of the first RPC, a verb and a path; `get /v1/<name>` when absent.
    #[arg(long, value_name = "BINDING", conflicts_with = "handles")]
    http: Option<String>,
    /// Handle this event, by its name or full name, and answer no RPC. May be given several times.
    #[arg(long, value_name = "EVENT")]
    handles: Vec<String>,
}

/// Files of a crate, by their path in it.
type Files = &'static [(&'static str, &'static str)];

/// Of every new service.
const COMMON: Files = &[
    ("src/main.rs", include_str!("templates/service/main.txt")),
    ("tests/it/main.rs", include_str!("templates/service/tests.txt")),
];

/// Of one that answers RPCs.
const SERVING: Files = &[
    ("Cargo.toml", include_str!("templates/service/manifest.txt")),
    ("src/lib.rs", include_str!("templates/service/lib.txt")),
    ("src/app.rs", include_str!("templates/service/app.txt")),
    ("src/config.rs", include_str!("templates/service/config.txt")),
    ("src/rpc.rs", include_str!("templates/service/rpc.txt")),
    ("tests/it/process.rs", include_str!("templates/service/process.txt")),
    ("tests/it/http.rs", include_str!("templates/service/http.txt")),
];

/// Of one that only handles events.
const HANDLING: Files = &[
    ("Cargo.toml", include_str!("templates/handlers/manifest.txt")),
    ("src/lib.rs", include_str!("templates/handlers/lib.txt")),
    ("src/app.rs", include_str!("templates/handlers/app.txt")),
    ("src/config.rs", include_str!("templates/handlers/config.txt")),
    ("tests/it/process.rs", include_str!("templates/handlers/process.txt")),
];

impl Arguments {
    /// Whether it answers calls.
    pub(super) fn is_called(&self) -> bool {
        self.handles.is_empty()
    }

    pub(super) fn plan(&self, project: &Project, plan: &mut Plan) -> Result<Next> {
        if project.model.deployables.iter().any(|known| known.name == self.name) {
            bail!("there is a deployable `{}` already", self.name);
        }
        let kebab = Name::kebab(&self.name)?.kebab;
        let folder = format!("services/{kebab}");
        if plan.has(&folder) {
            bail!("{folder} is there already: nothing is overwritten, choose another name");
        }
        let name = Name::of_crate(&self.name, &plan.read("Cargo.lock")?)?;
        add_port(plan, &name)?;
        let mut next = if self.is_called() {
            self.serving(project, plan, &name, &folder)?
        } else {
            self.handling(project, plan, &name, &folder)?
        };
        next.push(format!(
            "`xtask/stack` does not start {}: add it in launch.rs when the demo needs it",
            name.kebab
        ));
        Ok(next)
    }

    /// A service with a contract of its own.
    fn serving(
        &self,
        project: &Project,
        plan: &mut Plan,
        name: &Name,
        folder: &str,
    ) -> Result<Next> {
        let organisation = project.organisation()?;
        let rpc = self.first_rpc(name)?;
        let package = format!("{organisation}.{}.v1", name.snake);
        let contract = format!("contracts/{organisation}/{0}/v1/{0}.proto", name.snake);
        let service = format!("{}Service", name.camel);
        let words = Words::of(name, &rpc);
        let values = words.values();
        let head = fill(include_str!("templates/service/contract.txt"), &values)
            .replace("@package@", &package);
        let text = proto::add_rpc(&head, &service, &rpc.declaration())?;
        plan.create(&contract, proto::append(&text, &rpc.messages()))?;
        let serves = format!("  serves: [\"{package}.{service}\"]\n");
        add_deployable(project, plan, name, &serves)?;
        write_crate(plan, folder, &[COMMON, SERVING], &values)?;
        let main = format!("{folder}/tests/it/main.rs");
        plan.edit(&main, |text| Ok(format!("{}\n\nmod http;\nmod process;\n", text.trim_end())))?;
        let home = Home {
            folder: folder.to_owned(),
            port: name.snake.clone() + "_port",
            module: format!("{}_v1", name.snake),
            service,
        };
        home.add_test(plan, &rpc)?;
        Ok(vec![
            format!("say what {} is in {contract}, and run `cargo xtask codegen`", name.kebab),
            format!("implement {} in {folder}/src/rpc.rs", rpc.name.snake),
            format!(
                "who calls it names {package}.{} in `calls` of its deployable, and gets a token: \
                 `callers.<name>` here, `peers.{}` there",
                home.service, name.snake
            ),
        ])
    }

    /// A service that handles events.
    fn handling(
        &self,
        project: &Project,
        plan: &mut Plan,
        name: &Name,
        folder: &str,
    ) -> Result<Next> {
        add_deployable(project, plan, name, "")?;
        let words = Words::of(name, &self.first_rpc(name)?);
        write_crate(plan, folder, &[COMMON, HANDLING], &words.values())?;
        let main = format!("{folder}/tests/it/main.rs");
        plan.edit(&main, |text| Ok(format!("{}\n\nmod process;\n", text.trim_end())))?;
        let mut next = Vec::new();
        for event in &self.handles {
            let full_name = project.event(event)?;
            let handling = Handling::of(&full_name, &name.kebab)?;
            next.extend(add_handler(project, plan, &handling)?);
        }
        Ok(next)
    }

    fn first_rpc(&self, name: &Name) -> Result<Rpc> {
        let first = self.rpc.clone().unwrap_or_else(|| format!("Get{}", name.camel));
        let binding = self.http.clone().unwrap_or_else(|| format!("get /v1/{}", name.kebab));
        Rpc::new(&first, Access::Operators, Some(&binding))
    }
}

/// What the templates are filled with.
struct Words(Vec<(&'static str, String)>);

impl Words {
    fn of(name: &Name, rpc: &Rpc) -> Self {
        let (verb, path) = rpc.binding.as_ref().map_or(("get", "/"), |(verb, path)| (verb, path));
        Self(vec![
            ("name", name.kebab.clone()),
            ("snake", name.snake.clone()),
            ("Name", name.camel.clone()),
            ("ENV", name.snake.to_uppercase()),
            ("Rpc", rpc.name.camel.clone()),
            ("rpc", rpc.name.snake.clone()),
            ("METHOD", verb.to_uppercase()),
            ("sample", sample(path)),
        ])
    }

    fn values(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

/// A path with something in the places of its variables.
fn sample(path: &str) -> String {
    let mut parts = path.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |sample, part| {
        let (variable, rest) = part.split_once('}').unwrap_or((part, ""));
        let pattern = variable.split_once('=').map_or("*", |(_, pattern)| pattern);
        sample + &pattern.replace("**", "x").replace('*', "x") + rest
    })
}

/// The file that declares the deployable.
fn add_deployable(project: &Project, plan: &mut Plan, name: &Name, traffic: &str) -> Result<()> {
    let (folder, package) = project.deployables()?;
    let text = format!(
        "syntax = \"proto3\";\n\n// Says what {} does.\npackage {package};\n\nimport \
         \"treaty/v1/deployable.proto\";\n\noption (treaty.v1.deployable) = {{\n  name: \
         \"{}\"\n{traffic}}};\n",
        name.words(),
        name.kebab
    );
    plan.create(&format!("{folder}/{}.proto", name.snake), text)
}

/// The line by which the workspace's crates find the port.
fn add_port(plan: &mut Plan, name: &Name) -> Result<()> {
    let port = format!("{}-port", name.kebab);
    plan.edit("Cargo.toml", |text| {
        let line = format!("{port} = {{ path = \"gen/ports/{port}\" }}");
        let is_port = |line: &&str| line.contains("= { path = \"gen/ports/");
        let Some(last) = text.lines().rfind(is_port) else {
            return rust::dependency(text, "[workspace.dependencies]", &line);
        };
        Ok(text.replacen(last, &format!("{last}\n{line}"), 1))
    })
}

fn write_crate(
    plan: &mut Plan,
    folder: &str,
    files: &[Files],
    values: &[(&str, &str)],
) -> Result<()> {
    for (path, template) in files.iter().copied().flatten() {
        let mut text = fill(template, values);
        // Manifests are sorted, and where the port stands depends on its name.
        if *path == "Cargo.toml" {
            let port = values.iter().find(|(key, _)| *key == "name").map_or("", |(_, name)| name);
            let line = format!("{port}-port.workspace = true");
            text = rust::dependency(&text, "[dependencies]", &line)?;
        }
        plan.create(&format!("{folder}/{path}"), text)?;
    }
    Ok(())
}
