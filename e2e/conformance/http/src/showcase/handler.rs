//! Answers with what it was asked.

use async_trait::async_trait;
use treaty_error::{Code, Error, Result};
use treaty_rpc::Context;

use super::v1beta1::compliance::Compliance;
use super::v1beta1::{EnumRequest, EnumResponse, RepeatRequest, RepeatResponse};

pub struct Echo;

macro_rules! echo {
    ($($function:ident)*) => {
        #[async_trait]
        impl Compliance for Echo {
            $(async fn $function(&self, _: &Context, request: RepeatRequest) -> Result<RepeatResponse> {
                Ok(RepeatResponse { request: Some(request), ..RepeatResponse::default() })
            })*

            // The suite has no case for enums of the future.
            async fn get_enum(&self, _: &Context, _: EnumRequest) -> Result<EnumResponse> {
                Err(Error::new(Code::Unimplemented, "no case asks for it"))
            }

            async fn verify_enum(&self, _: &Context, _: EnumResponse) -> Result<EnumResponse> {
                Err(Error::new(Code::Unimplemented, "no case asks for it"))
            }
        }
    };
}

echo! {
    repeat_data_body repeat_data_body_info repeat_data_query repeat_data_simple_path
    repeat_data_path_resource repeat_data_path_trailing_resource repeat_data_body_put
    repeat_data_body_patch
}
