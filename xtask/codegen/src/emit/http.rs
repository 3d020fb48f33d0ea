//! x
use proc_macro2::TokenStream;
use quote::quote;
use crate::model::{Package, Service};
pub(super) fn routes(_package: &Package, _service: &Service) -> TokenStream { quote!() }
