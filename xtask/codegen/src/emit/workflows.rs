//! Temporal workflows and activities: names, task queue, options, starters.

use heck::{ToShoutySnakeCase, ToUpperCamelCase};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::{events, rust};
use crate::File;
use crate::model::{
    Activity, Package, SearchAttribute, SearchSource, TypeRef, Workflow, WorkflowService,
};

/// Writes the module of one workflow service.
pub(super) fn emit(package: &Package, service: &WorkflowService) -> File {
    let path = format!("{}/{}.rs", package.directory(), service.module);
    let docs = rust::docs(&service.comment);
    let queue = &service.task_queue;
    let workflows = service.workflows.iter().map(|item| workflow(package, item));
    let activities = service.activities.iter().map(|item| activity(package, item));
    let about = format!(" The task queue of `{}`.", service.full_name);
    let tokens = quote! {
        #docs
        #[doc = ""]
        #[doc = #about]
        pub const TASK_QUEUE: &str = #queue;
        #(#workflows)*
        #(#activities)*
    };
    File::new(path, rust::file(tokens))
}

fn workflow(package: &Package, workflow: &Workflow) -> TokenStream {
    let name = &workflow.name;
    let ident = rust::ident(&name.to_upper_camel_case());
    let constant = rust::ident(&name.to_shouty_snake_case());
    let execution = rust::optional_duration(workflow.execution_timeout);
    let run = rust::optional_duration(workflow.run_timeout);
    let contract =
        contract(package, "Workflow", name, (&workflow.comment, &workflow.input, &workflow.output));
    let starter = starter_type(workflow);
    let starter_docs = format!(" Starts, awaits and schedules [`{name}`].");
    let spec_docs = format!(" Name, task queue, timeouts and search attributes of [`{name}`].");
    let attributes = workflow.search_attributes.iter().map(search_attribute);
    let named = named(workflow, &ident);
    quote! {
        #contract
        #named

        #[doc = #spec_docs]
        pub const #constant: ::treaty_temporal::WorkflowSpec = ::treaty_temporal::WorkflowSpec {
            name: #name,
            task_queue: TASK_QUEUE,
            execution_timeout: #execution,
            run_timeout: #run,
            search_attributes: &[#(#attributes),*],
        };

        #[doc = #starter_docs]
        pub type #starter = ::treaty_temporal::Starter<#ident>;
    }
}

/// The implementation that makes the workflow's id, where the contract says how.
fn named(workflow: &Workflow, ident: &proc_macro2::Ident) -> Option<TokenStream> {
    if workflow.workflow_id.is_empty() {
        return None;
    }
    let template = events::format_string(&workflow.workflow_id);
    let locals = events::locals(&workflow.workflow_id, &quote!(workflow_input), |_, text| text);
    let (argument, id) = if locals.is_empty() {
        (quote!(_: &Self::Input), quote!(#template.to_owned()))
    } else {
        (quote!(workflow_input: &Self::Input), quote!(#(#locals)* ::std::format!(#template)))
    };
    Some(quote! {
        impl ::treaty_temporal::NamedWorkflow for #ident {
            fn workflow_id(#argument) -> String {
                #id
            }
        }
    })
}

fn search_attribute(attribute: &SearchAttribute) -> TokenStream {
    let name = &attribute.name;
    let kind = format_ident!("{}", attribute.kind);
    let source = match &attribute.source {
        SearchSource::Field { json_name, .. } => quote!(Field(#json_name)),
        SearchSource::Value(value) => quote!(Value(#value)),
    };
    quote! {
        ::treaty_temporal::SearchAttributeSpec {
            name: #name,
            kind: ::treaty_temporal::SearchAttributeKind::#kind,
            source: ::treaty_temporal::SearchAttributeSource::#source,
        }
    }
}

fn activity(package: &Package, activity: &Activity) -> TokenStream {
    let name = &activity.name;
    let constant = rust::ident(&name.to_shouty_snake_case());
    let start_to_close = rust::duration(activity.start_to_close);
    let heartbeat = rust::optional_duration(activity.heartbeat);
    let schedule_to_close = rust::optional_duration(activity.schedule_to_close);
    let initial_interval = rust::duration(activity.retry.initial_interval);
    let coefficient = Literal::f64_unsuffixed(activity.retry.backoff_coefficient);
    let maximum_interval = rust::optional_duration(activity.retry.maximum_interval);
    let maximum_attempts = rust::integer(activity.retry.maximum_attempts);
    let contract =
        contract(package, "Activity", name, (&activity.comment, &activity.input, &activity.output));
    let spec_docs = format!(" Name, timeouts and retries of [`{name}`].");
    quote! {
        #contract

        #[doc = #spec_docs]
        pub const #constant: ::treaty_temporal::ActivitySpec = ::treaty_temporal::ActivitySpec {
            name: #name,
            start_to_close: #start_to_close,
            schedule_to_close: #schedule_to_close,
            heartbeat: #heartbeat,
            retry: ::treaty_temporal::RetrySpec {
                initial_interval: #initial_interval,
                backoff_coefficient: #coefficient,
                maximum_interval: #maximum_interval,
                maximum_attempts: #maximum_attempts,
            },
        };
    }
}

/// The type that ties a name to its payload types.
fn contract(
    package: &Package,
    kind: &str,
    name: &str,
    (comment, input, output): (&str, &TypeRef, &TypeRef),
) -> TokenStream {
    let docs = rust::docs(comment);
    let ident = rust::ident(&name.to_upper_camel_case());
    let constant = rust::ident(&name.to_shouty_snake_case());
    let contract = format_ident!("{kind}Contract");
    let spec = format_ident!("{kind}Spec");
    let (input, output) = (rust::type_path(input, package), rust::type_path(output, package));
    quote! {
        #docs
        #[derive(Clone, Copy, Debug)]
        pub struct #ident;

        impl ::treaty_temporal::#contract for #ident {
            type Input = #input;
            type Output = #output;
            const SPEC: &'static ::treaty_temporal::#spec = &#constant;
        }
    }
}

/// Name of a workflow's field among the starters of a port.
pub(super) fn starter_field(workflow: &Workflow) -> proc_macro2::Ident {
    rust::snake(&workflow.name)
}

/// Name of the type that starts a workflow.
pub(super) fn starter_type(workflow: &Workflow) -> proc_macro2::Ident {
    format_ident!("{}Starter", workflow.name.to_upper_camel_case())
}
