//! A stand-in for the part of Kubernetes that Vault asks: whose is this account's token?

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Answers `TokenReview` for tokens of [`account_token`]; those of which the name is `stranger` it does
/// not know. It ends when it is dropped.
pub(crate) struct TokenReviewer {
    pub(crate) address: SocketAddr,
    reviews: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Drop for TokenReviewer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl TokenReviewer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let reviews = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&reviews);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&count)));
            }
        });
        Self { address, reviews, serving }
    }

    /// How many tokens it was asked about.
    pub(crate) fn reviews(&self) -> usize {
        self.reviews.load(Ordering::SeqCst)
    }
}

/// Answers one request; who asks again connects again.
async fn serve(stream: TcpStream, count: Arc<AtomicUsize>) {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let review: Value = serde_json::from_slice(&body).unwrap();
    count.fetch_add(1, Ordering::SeqCst);
    let answer = judge(review["spec"]["token"].as_str().unwrap()).to_string();
    let answer = format!(
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{answer}",
        answer.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

fn judge(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let account = &claims["kubernetes.io"];
    let (namespace, name) = (&account["namespace"], &account["serviceaccount"]["name"]);
    let user = json!({
        "username": format!(
            "system:serviceaccount:{}:{}", namespace.as_str().unwrap(), name.as_str().unwrap()
        ),
        "uid": account["serviceaccount"]["uid"],
        "groups": ["system:serviceaccounts", "system:authenticated"],
    });
    let status = if name == "stranger" {
        json!({"authenticated": false, "error": "unknown"})
    } else {
        json!({"authenticated": true, "user": user, "audiences": claims["aud"]})
    };
    json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status})
}

/// A token such as Kubernetes puts into a pod. Its signature is none: the stand-in does not look.
pub(crate) fn account_token(name: &str, number: u32) -> String {
    let claims = json!({
        "iss": "https://kubernetes.default.svc",
        "aud": ["vault"],
        "exp": 4_102_444_800_u64, "iat": 1_700_000_000, "nbf": 1_700_000_000,
        "jti": number.to_string(),
        "sub": format!("system:serviceaccount:stravasync:{name}"),
        "kubernetes.io": {
            "namespace": "stravasync",
            "serviceaccount": {"name": name, "uid": "0b1f"},
        },
    });
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "RS256", "kid": "one"});
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode("signature"))
}
