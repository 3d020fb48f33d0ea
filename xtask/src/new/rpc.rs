//! `cargo xtask new rpc`.

use anyhow::{Context as _, Result, bail};

use super::name::{self, Name};
use super::plan::Plan;
use super::project::Project;
use super::template::fill;
use super::{Next, proto, rust};

/// Adds an RPC to a service: to its contract, and to whatever implements the service's trait.
///
/// The request has a text field for each variable of the path. Who implements the trait, the handler
/// and tests' own doubles, gets a function that answers UNIMPLEMENTED; generated mocks need nothing. A
/// test of its own says who may call.
///
///     cargo xtask new rpc AthletesService CountAthletes
///     cargo xtask new rpc AthletesService RenameAthlete --http "post /v1/athletes/{athlete_id}:rename" --access callers
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The service, by its name or full name.
    service: String,
    /// Name of the RPC: a verb and what it acts on, such as `CancelOrder`.
    name: String,
    /// HTTP binding: a verb and a path, such as "get /v1/orders/{order_id}". With post, put and patch
    /// the request is the body. gRPC alone when absent.
    #[arg(long, value_name = "BINDING")]
    http: Option<String>,
    /// Who may call.
    #[arg(long, value_enum, default_value_t = Access::Operators)]
    access: Access,
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Access {
    /// Holders of the operator token.
    Operators,
    /// Deployables whose contract says that they call the service.
    Callers,
    /// Anybody.
    Public,
}

impl Access {
    fn in_contract(self) -> &'static str {
        match self {
            Self::Operators => "ACCESS_OPERATORS",
            Self::Callers => "ACCESS_CALLERS",
            Self::Public => "ACCESS_PUBLIC",
        }
    }
}

impl Arguments {
    pub(super) fn plan(&self, project: &Project, plan: &mut Plan) -> Result<Next> {
        let name = Name::camel(&self.name)?;
        let (package, service) = project.service(&self.service)?;
        if service.methods.iter().any(|method| method.name == name.camel) {
            bail!("{} has an RPC {} already", service.full_name, name.camel);
        }
        let messages = ["Request", "Response"].map(|kind| name.camel.clone() + kind);
        project.refuse_taken(&package.name, &messages)?;
        let server = project.server(&service.full_name)?;
        let rpc = Rpc::new(&self.name, self.access, self.http.as_deref())?;
        let declared = service.full_name.rsplit('.').next().unwrap_or_default();
        plan.edit(&project.file_of(&service.full_name)?, |text| {
            let text = proto::add_rpc(text, declared, &rpc.declaration())?;
            let text = proto::append(&text, &rpc.messages());
            let text = proto::import(&text, "treaty/v1/method.proto");
            Ok(match rpc.binding {
                Some(_) => proto::import(&text, "google/api/annotations.proto"),
                None => text,
            })
        })?;
        let implemented = implement(plan, &package.module, &service.name, &rpc)?;
        let home = Home {
            folder: format!("services/{}", server.name),
            port: server.name.replace('-', "_") + "_port",
            module: package.module.clone(),
            service: service.name.clone(),
        };
        home.add_test(plan, &rpc)?;
        let mut next = vec![format!(
            "fill in the messages in {} and run `cargo xtask codegen`",
            project.file_of(&service.full_name)?
        )];
        next.extend(
            implemented.iter().map(|file| format!("implement {} in {file}", rpc.name.snake)),
        );
        if implemented.is_empty() {
            next.push(format!(
                "implement {} where {} is implemented",
                rpc.name.snake, service.name
            ));
        }
        Ok(next)
    }
}

/// A new RPC.
pub(super) struct Rpc {
    pub(super) name: Name,
    pub(super) access: Access,
    /// Verb and path.
    pub(super) binding: Option<(String, String)>,
}

impl Rpc {
    /// Reads the words of the command line.
    pub(super) fn new(name: &str, access: Access, binding: Option<&str>) -> Result<Self> {
        let name = Name::camel(name)?;
        let Some(text) = binding else { return Ok(Self { name, access, binding: None }) };
        let (verb, path) = text
            .split_once(' ')
            .with_context(|| format!("`{text}` is no verb and path, such as \"get /v1/orders\""))?;
        let verb = verb.to_lowercase();
        if !matches!(verb.as_str(), "get" | "put" | "post" | "delete" | "patch") {
            bail!("`{verb}` is no verb: use get, put, post, delete or patch");
        }
        for variable in variables(path) {
            name::field(variable).with_context(|| {
                format!("{path}: the request gets a field for each variable, so each names one")
            })?;
        }
        Ok(Self { name, access, binding: Some((verb, path.trim().to_owned())) })
    }

    /// As it stands in its service.
    pub(super) fn declaration(&self) -> String {
        let name = &self.name.camel;
        let http = self.binding.as_ref().map_or_else(String::new, |(verb, path)| {
            let body =
                if matches!(verb.as_str(), "post" | "put" | "patch") { "body: \"*\"" } else { "" };
            format!("    option (google.api.http) = {{\n      {verb}: \"{path}\"\n {body}   }};\n")
        });
        let access = self.access.in_contract();
        format!(
            "  // Says what callers need to know of {name}.\n  rpc {name}({name}Request) returns \
             ({name}Response) {{\n{http}    option (treaty.v1.method) = {{\n      access: [{access}]\n    \
             }};\n  }}\n"
        )
    }

    /// Its request and its response.
    pub(super) fn messages(&self) -> String {
        let name = &self.name.camel;
        let variables = self.binding.iter().flat_map(|(_, path)| variables(path));
        let fields: String = variables
            .enumerate()
            .map(|(index, field)| {
                format!("  // Identifies what the path names.\n  string {field} = {};\n", index + 1)
            })
            .collect();
        format!(
            "// Request of {name}.\nmessage {name}Request {{\n{fields}}}\n\n// Response of {name}.\n\
             message {name}Response {{}}\n"
        )
    }
}

/// Names of a path's variables.
fn variables(path: &str) -> impl Iterator<Item = &str> {
    let inside = path.split('{').skip(1).filter_map(|tail| tail.split('}').next());
    inside.map(|variable| variable.split('=').next().unwrap_or(variable))
}

/// Where a service is answered.
pub(super) struct Home {
    /// Folder of the crate that answers it.
    pub(super) folder: String,
    /// Name of its port in Rust.
    pub(super) port: String,
    /// Module of the package in the port.
    pub(super) module: String,
    /// Name of the service.
    pub(super) service: String,
}

impl Home {
    /// A test of who may call.
    pub(super) fn add_test(&self, plan: &mut Plan, rpc: &Rpc) -> Result<()> {
        let Self { folder, port, module, service } = self;
        let main = format!("{folder}/tests/it/main.rs");
        let template = match rpc.access {
            Access::Public => include_str!("templates/service/public_test.txt"),
            Access::Operators => include_str!("templates/service/operators_test.txt"),
            Access::Callers => include_str!("templates/service/callers_test.txt"),
        };
        let test = fill(
            template,
            &[
                ("port", port),
                ("module", module),
                ("Service", service),
                ("Rpc", &rpc.name.camel),
                ("rpc", &rpc.name.snake),
            ],
        );
        plan.create(&format!("{folder}/tests/it/{}.rs", rpc.name.snake), test)?;
        plan.edit(&main, |text| Ok(rust::module(text, &format!("mod {};", rpc.name.snake))))?;
        plan.edit(&format!("{folder}/Cargo.toml"), |text| {
            let crate_name = port.replace('_', "-");
            let mock = format!("{crate_name} = {{ workspace = true, features = [\"mock\"] }}");
            rust::dependency(text, "[dev-dependencies]", &mock)
        })
    }
}

/// Gives every implementation of the service's trait the function; names the files.
fn implement(plan: &mut Plan, module: &str, service: &str, rpc: &Rpc) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    for (file, deployable) in sources(plan)? {
        let text = plan.read(&file)?;
        let blocks = rust::implementations(&text, service);
        if blocks.is_empty() {
            continue;
        }
        let port = deployable.replace('-', "_") + "_port";
        let mut edited = text.clone();
        // From the last to the first, so that places before stay what they are.
        for (start, end) in blocks.iter().rev() {
            let function = function(&text, &text[*start..*end], &port, module, rpc);
            edited.insert_str(*end, &function);
        }
        plan.edit(&file, |_| Ok(edited))?;
        changed.push(file);
    }
    Ok(changed)
}

/// The function, in the words of the file: as its neighbours name what they need.
fn function(text: &str, block: &str, port: &str, module: &str, rpc: &Rpc) -> String {
    let between = |from: &str, to: char| {
        let (_, rest) = block.split_once(from)?;
        rest.split_once(to).map(|(found, _)| found.trim().to_owned())
    };
    let context = rust::name_in(text, "treaty_rpc::Context");
    let result = between("->", '<').unwrap_or_else(|| rust::name_in(text, "treaty_error::Result"));
    let (error, code) =
        (rust::name_in(text, "treaty_error::Error"), rust::name_in(text, "treaty_error::Code"));
    let path = format!("{port}::{module}");
    let types = rust::alias(text, &path).unwrap_or(&path);
    let Name { camel, snake, .. } = &rpc.name;
    format!(
        "\n    async fn {snake}(&self, _context: &{context}, _request: {types}::{camel}Request) -> \
         {result}<{types}::{camel}Response> {{\n        Err({error}::new({code}::Unimplemented, \
         \"{camel} is not implemented yet\"))\n    }}\n"
    )
}

/// Every Rust source of the services, with the service's name.
fn sources(plan: &Plan) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut pending = vec![plan.root().join("services")];
    while let Some(folder) = pending.pop() {
        let entries = std::fs::read_dir(&folder);
        for entry in entries.with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(plan.root()).unwrap_or(&path);
                let relative = relative.to_string_lossy().into_owned();
                let service = relative.split('/').nth(1).unwrap_or_default().to_owned();
                found.push((relative, service));
            }
        }
    }
    found.sort();
    Ok(found)
}
