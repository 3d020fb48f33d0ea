//! A library behind HTTP routes: in this process, and through a proxy over gRPC.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use treaty_error::{Code, Error, Result};
use treaty_http::{Body, Gateway, GatewayConfig, HttpBody, Site};
use treaty_rpc::{
    AuthConfig, Authenticator, ClientConfig, Context, GrpcServer, GrpcServerConfig, MessageStream,
};

use super::support::CALLER_TOKEN;
use crate::library_service::{
    LibraryService, LibraryServiceClient, LibraryServiceGrpc, proxy_routes, routes,
};
use crate::*;

/// Does as the name of the book or the shelf says.
pub(super) struct Library;

fn book(name: &str, title: impl Into<String>) -> Book {
    Book { name: name.to_owned(), title: title.into(), page_count: 7 }
}

#[async_trait]
impl LibraryService for Library {
    async fn get_book(&self, context: &Context, request: GetBookRequest) -> Result<Book> {
        let title = match request.name.rsplit('/').next().unwrap_or_default() {
            "none" => return Err(Error::new(Code::NotFound, "no such book")),
            "tenant" => context.metadata("x-tenant").unwrap_or("nobody").to_owned(),
            "accept" => context.metadata("x-forbidden").unwrap_or("nothing").to_owned(),
            "caller" => context.caller().to_string(),
            "time" => format!("{}", context.remaining().unwrap_or_default().as_secs_f64().ceil()),
            "hang" => std::future::pending().await,
            title => title.to_owned(),
        };
        Ok(book(&request.name, title))
    }

    async fn create_book(&self, _: &Context, request: CreateBookRequest) -> Result<Book> {
        let name = format!("{}/books/{}", request.parent, request.book_id);
        Ok(Book { name, ..request.book.unwrap_or_default() })
    }

    async fn update_book(
        &self,
        _: &Context,
        request: UpdateBookRequest,
    ) -> Result<UpdateBookResponse> {
        let mask = request.update_mask.unwrap_or_default();
        let name = request.book.unwrap_or_default().name;
        Ok(UpdateBookResponse { changed: mask.paths.into_iter().chain([name]).collect() })
    }

    async fn delete_book(&self, _: &Context, _: GetBookRequest) -> Result<()> {
        Ok(())
    }

    async fn watch_books(
        &self,
        _: &Context,
        request: WatchBooksRequest,
    ) -> Result<MessageStream<Book>> {
        let parent = request.parent;
        if parent == "shelves/none" {
            return Err(Error::new(Code::NotFound, "no such shelf"));
        }
        let broken = (parent == "shelves/broken")
            .then(|| Err(Error::new(Code::ResourceExhausted, "too many books")));
        let books = ["a", "b"].map(move |id| Ok(book(&format!("{parent}/books/{id}"), id)));
        Ok(Box::pin(stream::iter(books).chain(stream::iter(broken))))
    }

    async fn import_books(
        &self,
        _: &Context,
        mut requests: MessageStream<Book>,
    ) -> Result<ImportBooksResponse> {
        let mut titles = Vec::new();
        while let Some(book) = requests.next().await {
            titles.push(book?.title);
        }
        Ok(ImportBooksResponse { titles })
    }

    async fn download_book(&self, _: &Context, request: GetBookRequest) -> Result<HttpBody> {
        let data = format!("%PDF of {}", request.name).into_bytes();
        Ok(HttpBody { content_type: "application/pdf".to_owned(), data, ..HttpBody::default() })
    }

    async fn cover_of_book(&self, _: &Context, _: GetBookRequest) -> Result<CoverOfBookResponse> {
        let content_type = "image/svg+xml".to_owned();
        let cover = HttpBody { content_type, data: b"<svg/>".to_vec(), ..HttpBody::default() };
        Ok(CoverOfBookResponse { cover: Some(cover) })
    }

    async fn upload_book(&self, _: &Context, request: UploadBookRequest) -> Result<Book> {
        let HttpBody { content_type, data, .. } = request.content.unwrap_or_default();
        Ok(book(&request.name, format!("{content_type}, {} bytes", data.len())))
    }
}

/// The library's site, and what of it ends with the test.
pub(super) struct Running {
    site: Site,
    way: &'static str,
    _server: Option<DropGuard>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

fn authenticator() -> Arc<Authenticator> {
    let tokens = [("caller", CALLER_TOKEN), ("stranger", super::support::STRANGER_TOKEN)];
    let tokens = tokens.map(|(name, token)| (name.to_owned(), SecretString::from(token)));
    Arc::new(
        Authenticator::new(&AuthConfig { deployables: tokens.into(), operator: None }).unwrap(),
    )
}

/// Both ways that lead to the handler: straight into it, and through a proxy, which is the
/// generated client behind the same routes.
pub(super) async fn both_ways() -> [Running; 2] {
    let config = GatewayConfig {
        max_body_bytes: 1000,
        metadata_headers: vec!["X-Tenant".to_owned()],
        ..GatewayConfig::default()
    };
    let gateway = Gateway::new(&config, authenticator());
    let here = routes(Arc::new(Library), &gateway).site();

    let server = GrpcServer::new(GrpcServerConfig::default(), authenticator());
    let server = LibraryServiceGrpc::register(server, Arc::new(Library));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let shutdown = CancellationToken::new();
    tokio::spawn(server.serve(listener, shutdown.clone()));
    // The proxy's own token is nobody's: callers are who they say, or nobody.
    let mut channel = ClientConfig::new(&*address, SecretString::from("proxy-token-00001"));
    channel.act_for_caller = true;
    let client = LibraryServiceClient::new(treaty_rpc::connect_lazy(&channel).unwrap());
    let proxy = proxy_routes(Arc::new(client), &Gateway::forwarding(&config)).site();
    [
        Running { site: here, way: "in this process", _server: None },
        Running { site: proxy, way: "through a proxy", _server: Some(shutdown.drop_guard()) },
    ]
}

impl Running {
    pub(super) fn way(&self) -> &'static str {
        self.way
    }

    /// Sends a request of the caller's; headers given again replace what it has.
    pub(super) async fn send(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let bearer = format!("Bearer {CALLER_TOKEN}");
        let usual = [("authorization", &*bearer), ("content-type", "application/json")];
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in usual {
            if !headers.iter().any(|(given, _)| *given == name) {
                request = request.header(name, value);
            }
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned().into_bytes())).unwrap();
        let answering = async {
            let (parts, body) = self.site.respond(request).await.into_parts();
            (parts, body.collect().await.unwrap().to_bytes())
        };
        let (parts, body) = tokio::time::timeout(Duration::from_secs(20), answering).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    pub(super) async fn get(&self, uri: &str) -> Answer {
        self.send("GET", uri, &[], "").await
    }
}
