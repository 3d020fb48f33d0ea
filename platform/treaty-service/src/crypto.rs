//! The provider of cryptography for TLS.

/// Makes ring the provider of the process. Call it first: the dependencies bring
/// two providers, and without a choice the first TLS connection panics.
pub fn install() {
    // An error means that a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
