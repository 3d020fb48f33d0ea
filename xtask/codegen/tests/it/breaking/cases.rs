//! The changes.

mod breaks;
mod fine;

use codegen::model::{Deployable, Event, Method, Model};

pub use breaks::BREAKS;
pub use fine::FINE;

/// A change of the contracts in `tests/breaking`.
pub enum Change {
    /// Texts to replace.
    Text(&'static [(&'static str, &'static str)]),
    /// What the contracts of these tests have no words for.
    Model(fn(&mut Model)),
}

/// The rule, what is changed, and the change.
pub type Case = (&'static str, &'static str, Change);

fn method<'a>(model: &'a mut Model, name: &str) -> &'a mut Method {
    let services = model.packages.iter_mut().flat_map(|package| &mut package.services);
    let mut methods = services.flat_map(|service| &mut service.methods);
    methods.find(|method| method.name == name).unwrap()
}

fn event<'a>(model: &'a mut Model, name: &str) -> &'a mut Event {
    let mut events = model.packages.iter_mut().flat_map(|package| &mut package.events);
    events.find(|event| event.name == name).unwrap()
}

fn deployable<'a>(model: &'a mut Model, name: &str) -> &'a mut Deployable {
    model.deployables.iter_mut().find(|deployable| deployable.name == name).unwrap()
}

fn require(model: &mut Model, message: &str, field: &str) {
    let mut messages = model.packages.iter_mut().flat_map(|package| &mut package.messages);
    let message = messages.find(|candidate| candidate.name == message).unwrap();
    let field = message.fields.iter_mut().find(|candidate| candidate.name == field).unwrap();
    field.behaviors.push("REQUIRED".to_owned());
}

const WORKFLOW: &str = "  rpc Sweep(GetOrderRequest) returns (Order) {
    option (treaty.v1.workflow) = {
      execution_timeout: {seconds: 3600}
      workflow_id: \"sweep-{order_id}\"
      search_attributes: {
        name: \"ShopOrder\"
        field: \"order_id\"
      }
    };
  }
";

const ACTIVITY: &str = "  rpc Fetch(GetOrderRequest) returns (Order) {
    option (treaty.v1.activity) = {
      start_to_close: {seconds: 60}
      heartbeat: {seconds: 10}
      retry: {maximum_attempts: 5}
    };
  }
";

const COUNT: &str = "  rpc CountOrders(GetOrderRequest) returns (Order) {
    option (treaty.v1.method) = {
      access: [ACCESS_OPERATORS]
    };
  }
";

const HELP: &str = "service Help {
  rpc AskHelp(GetOrderRequest) returns (Order) {
    option (treaty.v1.method) = {
      access: [ACCESS_PUBLIC]
    };
  }
}
";

const ERRANDS: &str = "service Errands {
  option (treaty.v1.workflows) = {task_queue: \"errands\"};

  rpc Run(GetOrderRequest) returns (Order) {
    option (treaty.v1.workflow) = {};
  }
}
";

const PAID: &str = "message OrderPaid {
  option (treaty.v1.event) = {
    stream: \"shop\"
    subject: \"shop.order.paid\"
  };

  string order_id = 1;
}
";

const HANDLES_PAID: &str = "  handles: {
    event: \"acme.shop.v1.OrderPaid\"
    max_deliver: 10
  }
";

const PUBLISHES: &str = "  publishes: [
    \"acme.shop.v1.OrderPlaced\",
    \"acme.shop.v1.OrderPaid\"
  ]
";

const PLACED_ALONE: &str = "  publishes: [\"acme.shop.v1.OrderPlaced\"]\n";
