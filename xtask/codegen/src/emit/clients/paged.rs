//! RPCs that answer page by page (AIP-158), by the names that other languages need.

use crate::model::{Method, Model, Package, Service};

/// A paged RPC of a service.
pub(super) struct Paged<'a> {
    pub(super) method: &'a Method,
    /// Name of the request, below its package.
    pub(super) request: &'a str,
    /// Name of the response, below its package.
    pub(super) response: &'a str,
    /// Name of an item's message, below its package.
    pub(super) item: &'a str,
    /// Name of the response's repeated field in the contract.
    pub(super) items: &'a str,
    /// The same in JSON.
    pub(super) items_json: &'a str,
}

/// The service's paged RPCs whose types stand in its own package, as AIP-158 has it.
pub(super) fn of<'a>(model: &'a Model, package: &Package, service: &'a Service) -> Vec<Paged<'a>> {
    let unary = |method: &&Method| !method.client_streaming && !method.server_streaming;
    let paged = service.methods.iter().filter(unary).filter_map(|method| {
        let page = method.page.as_ref()?;
        let types = [&method.input, &method.output, &page.item];
        if types.iter().any(|reference| reference.package != package.name) {
            return None;
        }
        let [request, response, item] = types.map(|reference| model.message(reference));
        let response = response?;
        let items = response.fields.iter().find(|field| field.rust_name == page.items)?;
        let local = |full_name: &'a str| full_name.get(package.name.len() + 1..);
        Some(Paged {
            method,
            request: local(&request?.full_name)?,
            response: local(&response.full_name)?,
            item: local(&item?.full_name)?,
            items: &items.name,
            items_json: &items.json_name,
        })
    });
    paged.collect()
}
