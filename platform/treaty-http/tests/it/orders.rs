//! A service written by hand in the shape that is otherwise generated.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::response::Response;
use http::Request;
use http_body_util::BodyExt;
use secrecy::SecretString;
use treaty_error::{Code, Error};
use treaty_http::{
    Body, BodyMode, Gateway, GatewayConfig, Input, Mount, Output, Route, Routes, Segment, Site,
    Template, Variable, Verb,
};
use treaty_json::{Enum, EnumSchema, Field, Fields, Reader, Schema, Writer, field};
use treaty_rpc::{Access, AuthConfig, Authenticator, Context, MethodSpec};

pub(crate) const OPERATOR: &str = "Bearer operator-token-01";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum State {
    Unspecified = 0,
    Open = 1,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Customer {
    #[prost(string, tag = "1")]
    pub(crate) email: String,
    #[prost(string, repeated, tag = "2")]
    pub(crate) tags: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Order {
    #[prost(string, tag = "1")]
    pub(crate) order_id: String,
    #[prost(int32, tag = "2")]
    pub(crate) page_size: i32,
    #[prost(bool, optional, tag = "3")]
    pub(crate) gift: Option<bool>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) tags: Vec<String>,
    #[prost(enumeration = "State", tag = "5")]
    pub(crate) state: i32,
    #[prost(message, optional, tag = "6")]
    pub(crate) customer: Option<Customer>,
}

treaty_json::messages!(Customer, Order);

impl Enum for State {
    const SCHEMA: &'static EnumSchema =
        &EnumSchema::open("test.v1.State", &[("STATE_UNSPECIFIED", 0), ("STATE_OPEN", 1)]);
}

impl Fields for Customer {
    fn schema(&self) -> &'static Schema {
        const FIELDS: &[Field] = &[field!("email"), field!("tags")];
        &Schema { full_name: "test.v1.Customer", fields: FIELDS }
    }

    fn write_fields(&self, w: &mut Writer<'_>) {
        let f = self.schema().fields;
        w.implicit(&f[0], &self.email);
        w.repeated(&f[1], &self.tags);
    }

    fn read_field(&mut self, index: usize, r: &mut Reader<'_>) -> Result<(), treaty_json::Error> {
        match index {
            0 => r.implicit(&mut self.email),
            1 => r.repeated(&mut self.tags),
            _ => Ok(()),
        }
    }
}

impl Fields for Order {
    fn schema(&self) -> &'static Schema {
        const FIELDS: &[Field] = &[
            field!("orderId", "order_id"),
            field!("pageSize", "page_size"),
            field!("gift"),
            field!("tags"),
            field!("state"),
            field!("customer"),
        ];
        &Schema { full_name: "test.v1.Order", fields: FIELDS }
    }

    fn write_fields(&self, w: &mut Writer<'_>) {
        let f = self.schema().fields;
        w.implicit(&f[0], &self.order_id);
        w.implicit(&f[1], &self.page_size);
        w.optional(&f[2], &self.gift);
        w.repeated(&f[3], &self.tags);
        w.implicit_enum::<State>(&f[4], self.state);
        w.optional(&f[5], &self.customer);
    }

    fn read_field(&mut self, index: usize, r: &mut Reader<'_>) -> Result<(), treaty_json::Error> {
        match index {
            0 => r.implicit(&mut self.order_id),
            1 => r.implicit(&mut self.page_size),
            2 => r.optional(&mut self.gift),
            3 => r.repeated(&mut self.tags),
            4 => r.implicit_enum::<State>(&mut self.state),
            5 => r.optional(&mut self.customer),
            _ => Ok(()),
        }
    }

    fn child(&mut self, index: usize) -> Option<&mut dyn Fields> {
        (index == 5).then(|| self.customer.get_or_insert_default() as &mut dyn Fields)
    }
}

const fn spec(method: &'static str, access: &'static [Access]) -> MethodSpec {
    let deadline = Duration::from_secs(20);
    MethodSpec {
        service: "test.v1.OrdersService",
        method,
        path: "/test",
        access,
        deadline,
        ..MethodSpec::DEFAULT
    }
}

const GET_ORDER: MethodSpec = spec("GetOrder", &[Access::Operators]);
const PUT_ORDER: MethodSpec = spec("PutOrder", &[Access::Public]);

const ORDER: Template = Template {
    text: "/v1/orders/{order_id}",
    segments: &[Segment::Literal("v1"), Segment::Literal("orders"), Segment::One],
    variables: &[Variable { field: "order_id", start: 2, end: 3 }],
    verb: None,
};
const GET_ORDER_ROUTE: Route = Route {
    spec: &GET_ORDER,
    verb: Verb::Get,
    template: ORDER,
    body: BodyMode::None,
    infers_mask: false,
    success: 200,
};
const PUT_ORDER_ROUTE: Route =
    Route { spec: &PUT_ORDER, verb: Verb::Put, body: BodyMode::Whole, ..GET_ORDER_ROUTE };

#[async_trait]
pub(crate) trait OrdersService: Send + Sync + 'static {
    async fn get_order(&self, context: &Context, request: Order) -> Result<Order, Error>;
    async fn put_order(&self, context: &Context, request: Order) -> Result<Order, Error>;
}

struct LocalOrdersService {
    inner: Arc<dyn OrdersService>,
}

#[async_trait]
impl OrdersService for LocalOrdersService {
    async fn get_order(&self, context: &Context, request: Order) -> Result<Order, Error> {
        treaty_rpc::admit_and_run(&GET_ORDER, context, |context| async move {
            self.inner.get_order(&context, request).await
        })
        .await
    }

    async fn put_order(&self, context: &Context, request: Order) -> Result<Order, Error> {
        treaty_rpc::admit_and_run(&PUT_ORDER, context, |context| async move {
            self.inner.put_order(&context, request).await
        })
        .await
    }
}

pub(crate) fn routes(service: Arc<dyn OrdersService>, gateway: &Gateway) -> Routes {
    let local: Arc<dyn OrdersService> = Arc::new(LocalOrdersService { inner: service });
    Mount::new(local, gateway)
        .unary(
            &GET_ORDER_ROUTE,
            Input::message(),
            Output::message(),
            |service, context, request| async move { service.get_order(&context, request).await },
        )
        .unary(
            &PUT_ORDER_ROUTE,
            Input::message(),
            Output::message(),
            |service, context, request| async move { service.put_order(&context, request).await },
        )
        .routes()
}

/// Answers what it was asked with, or fails as the order's name says.
pub(crate) struct Mirror;

#[async_trait]
impl OrdersService for Mirror {
    async fn get_order(&self, _: &Context, request: Order) -> Result<Order, Error> {
        match request.order_id.as_str() {
            "none" => Err(Error::new(Code::NotFound, "no such order")),
            "busy" => Err(Error::new(Code::ResourceExhausted, "come again")
                .with_retry_after(Duration::from_millis(1500))),
            "broken" => Err(Error::internal(std::io::Error::other("the password is xyzzy"))),
            "panic" => panic!("as told"),
            _ => Ok(request),
        }
    }

    async fn put_order(&self, _: &Context, request: Order) -> Result<Order, Error> {
        Ok(request)
    }
}

pub(crate) fn gateway() -> Gateway {
    let config = AuthConfig {
        deployables: [("worker".to_owned(), SecretString::from("worker-token-0001"))].into(),
        operator: Some(SecretString::from("operator-token-01")),
    };
    let authenticator = Arc::new(Authenticator::new(&config).unwrap());
    let config = GatewayConfig { max_body_bytes: 1000, ..GatewayConfig::default() };
    Gateway::new(&config, authenticator)
}

pub(crate) fn app() -> Site {
    let panicking = axum::Router::new()
        .route("/panic", axum::routing::get(async || -> Response { panic!("as told") }));
    routes(Arc::new(Mirror), &gateway()).with(panicking)
}

/// Status, headers and JSON of the answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) json: serde_json::Value,
}

pub(crate) async fn send(request: Request<Body>) -> Answer {
    let (parts, body) = app().respond(request).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let json = serde_json::from_slice(&body).unwrap_or_default();
    Answer { status: parts.status.as_u16(), headers: parts.headers, json }
}

pub(crate) async fn get(path: &str) -> Answer {
    let request = Request::get(path).header("authorization", OPERATOR);
    send(request.body(Body::empty()).unwrap()).await
}

pub(crate) async fn put(path: &str, body: &str) -> Answer {
    let request = Request::put(path).header("content-type", "application/json; charset=UTF-8");
    send(request.body(Body::from(body.to_owned().into_bytes())).unwrap()).await
}
