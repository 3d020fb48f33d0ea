//! A snapshot of everything that is emitted from the contracts in `tests/contracts`.

use crate::support::acme_files;

/// Kinds of files, each with one that shows it.
const KINDS: [(&str, &str); 24] = [
    ("package_manifest", "packages/acme-orders-v1/Cargo.toml"),
    ("package_manifest_with_own_streams", "packages/acme-catalog-v1/Cargo.toml"),
    ("package_library", "packages/acme-orders-v1/src/lib.rs"),
    ("messages", "packages/acme-orders-v1/src/messages.rs"),
    ("json", "packages/acme-catalog-v1/src/json.rs"),
    ("grpc", "packages/acme-catalog-v1/src/grpc.rs"),
    ("service", "packages/acme-orders-v1/src/orders_service.rs"),
    ("service_with_an_acronym", "packages/acme-catalog-v1/src/http_catalog.rs"),
    ("service_of_every_kind", "packages/acme-deliveries-v1/src/deliveries_service.rs"),
    ("events", "packages/acme-orders-v1/src/events.rs"),
    ("streams", "packages/acme-catalog-v1/src/events.rs"),
    ("workflows", "packages/acme-orders-v1/src/fulfilment_service.rs"),
    ("port_manifest", "ports/shop-port/Cargo.toml"),
    ("port_library", "ports/ware-house-port/src/lib.rs"),
    ("port_that_serves", "ports/shop-port/src/port.rs"),
    ("port_manifest_that_calls", "ports/ware-house-port/Cargo.toml"),
    ("port_that_calls", "ports/ware-house-port/src/port.rs"),
    ("ops_stream", "ops/nats/streams/acme-goods.json"),
    ("ops_consumer", "ops/nats/consumers/acme-goods/ware-house-acme-orders-v1-OrderMoved.json"),
    ("ops_permissions", "ops/nats/permissions/ware-house.json"),
    ("ops_authorization", "ops/nats/authorization.conf"),
    ("ops_access", "ops/access.json"),
    ("ops_network", "ops/network.json"),
    ("ops_values", "ops/values/ware-house.json"),
];

#[test]
fn every_kind_of_file_is_as_reviewed() {
    for (name, path) in KINDS {
        let file = acme_files().iter().find(|file| file.path == path);
        let text = file.unwrap_or_else(|| panic!("no {path}")).text();
        insta::with_settings!({omit_expression => true, description => path}, {
            insta::assert_snapshot!(name, text);
        });
    }
}

/// A new kind of file cannot go without a snapshot: it shows up here.
#[test]
fn the_files_are_these() {
    let paths: Vec<_> = acme_files().iter().map(|file| file.path.as_str()).collect();
    insta::assert_snapshot!("paths", paths.join("\n"));
}

#[test]
fn descriptors_hold_what_the_served_contracts_import() {
    let path = "ports/shop-port/src/descriptors.rs";
    let file = acme_files().iter().find(|file| file.path == path).unwrap();
    let file = syn::parse_file(&file.text()).unwrap();
    let [syn::Item::Const(constant)] = file.items.as_slice() else { panic!("not one constant") };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::ByteStr(bytes), .. }) = &*constant.expr else {
        panic!("no literal of bytes")
    };
    let pool = prost_reflect::DescriptorPool::decode(bytes.value().as_slice()).unwrap();
    assert!(pool.get_service_by_name("acme.orders.v1.OrdersService").is_some());
    let names: Vec<_> = pool.files().map(|file| file.name().to_owned()).collect();
    insta::assert_snapshot!("descriptors", names.join("\n"));
}
