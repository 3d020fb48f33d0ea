//! A service written by hand in the shape that is otherwise generated.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use secrecy::SecretString;
use tower::ServiceExt;
use treaty_error::{Code, Error};
use treaty_http::{
    Bind, BodyMode, Bound, Gateway, GatewayConfig, Route, Verb, bind, with_fallbacks,
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

impl State {
    fn by_name(name: &str) -> Option<Self> {
        match name {
            "STATE_UNSPECIFIED" => Some(Self::Unspecified),
            "STATE_OPEN" => Some(Self::Open),
            _ => None,
        }
    }
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
}

fn bind_order(request: &mut Order, name: &str, value: &str) -> Bind {
    match name {
        "order_id" | "orderId" => request.order_id = bind::string(name, value)?,
        "page_size" | "pageSize" => request.page_size = bind::int32(name, value)?,
        "gift" => request.gift = Some(bind::bool(name, value)?),
        "tags" => request.tags.push(bind::string(name, value)?),
        "state" => request.state = bind::enumeration(name, value, State::by_name)?,
        _ => return Ok(Bound::Unknown),
    }
    Ok(Bound::Field)
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

const GET_ORDER_ROUTE: Route = Route {
    spec: &GET_ORDER,
    verb: Verb::Get,
    path: "/v1/orders/{order_id}",
    body: BodyMode::None,
};
const PUT_ORDER_ROUTE: Route = Route {
    spec: &PUT_ORDER,
    verb: Verb::Put,
    path: "/v1/orders/{order_id}",
    body: BodyMode::Whole,
};

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

pub(crate) fn routes(service: Arc<dyn OrdersService>, gateway: &Gateway) -> Router {
    let local = Arc::new(LocalOrdersService { inner: service });
    let get = Arc::clone(&local);
    Router::new()
        .route(
            GET_ORDER_ROUTE.path,
            gateway.unary(&GET_ORDER_ROUTE, bind_order, move |context, request| {
                let local = Arc::clone(&get);
                async move { local.get_order(&context, request).await }
            }),
        )
        .route(
            PUT_ORDER_ROUTE.path,
            gateway.unary(&PUT_ORDER_ROUTE, bind_order, move |context, request| {
                let local = Arc::clone(&local);
                async move { local.put_order(&context, request).await }
            }),
        )
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
    Gateway::new(&GatewayConfig { max_body_bytes: 1000 }, authenticator)
}

pub(crate) fn app() -> Router {
    let panicking = Router::new()
        .route("/panic", axum::routing::get(async || -> Response { panic!("as told") }));
    with_fallbacks(routes(Arc::new(Mirror), &gateway()).merge(panicking))
}

/// Status, headers and JSON of the answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) json: serde_json::Value,
}

pub(crate) async fn send(request: Request<Body>) -> Answer {
    let (parts, body) = app().oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let json = serde_json::from_slice(&body).unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, json }
}

pub(crate) async fn get(path: &str) -> Answer {
    let request = Request::get(path).header("authorization", OPERATOR);
    send(request.body(Body::empty()).unwrap()).await
}

pub(crate) async fn put(path: &str, body: &str) -> Answer {
    let request = Request::put(path).header("content-type", "application/json; charset=UTF-8");
    send(request.body(Body::from(body.to_owned())).unwrap()).await
}
