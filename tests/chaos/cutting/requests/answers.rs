//! The methods of answers.

use legalstat_proto::requests::v1::{
    Answer, AnswerFormat, ApproveAnswerRequest, DispatchMeans, DownloadAnswerByCouponRequest, DownloadAnswerRequest,
    DraftAnswerRequest, GetAnswerByCouponRequest, GetAnswerRequest, OfficialCapacity, RecordDispatchRequest, Request,
    UpdateAnswerRequest,
};
use uuid::Uuid;

use super::{Requests, new};
use crate::call::Call;

/// A signature of which the service can say nothing, whatever it stands for: so it is kept.
const SIGNATURE: &[u8] =
    include_bytes!("../../../../services/request-intake/src/signature/fixtures/without_attributes.p7s");

impl Requests {
    pub(super) fn draft(&self, name: &str) -> Call {
        let message = DraftAnswerRequest {
            name: name.into(),
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        };
        Call::new(&self.operator, path!("DraftAnswer"), &message)
    }

    fn approve(&self, name: &str, drafted: &Answer) -> Call {
        let message = ApproveAnswerRequest {
            name: name.into(),
            sha256: drafted.sha256.clone(),
            capacity: OfficialCapacity::Head.into(),
            signature: SIGNATURE.to_vec(),
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        };
        Call::new(&self.approver, path!("ApproveAnswer"), &message)
    }

    fn dispatch(&self, name: String, approved: Answer) -> Call {
        let message = RecordDispatchRequest {
            name,
            means: DispatchMeans::Post.into(),
            proof: "7".into(),
            sha256: approved.sha256,
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        };
        Call::new(&self.operator, path!("RecordDispatch"), &message)
    }

    /// The call of a method of answers.
    pub(super) async fn of_answers(&self, method: &str) -> Result<Call, String> {
        let name = self.drafted.clone();
        Ok(match method {
            "DraftAnswer" => self.draft(&name),
            "GetAnswer" => Call::new(
                &self.operator,
                path!("GetAnswer"),
                &GetAnswerRequest {
                    name,
                    languages: Vec::new(),
                },
            ),
            "GetAnswerByCoupon" => {
                let (coupon_number, secret) = self.answered.clone();
                let message = GetAnswerByCouponRequest {
                    coupon_number,
                    secret,
                    languages: Vec::new(),
                };
                Call::new(&self.edms, path!("GetAnswerByCoupon"), &message)
            }
            "DownloadAnswerByCoupon" => {
                let (coupon_number, secret) = self.answered.clone();
                let message = DownloadAnswerByCouponRequest {
                    coupon_number,
                    secret,
                    format: AnswerFormat::Json.into(),
                    language: 0,
                };
                Call::new(&self.edms, path!("DownloadAnswerByCoupon"), &message)
            }
            "DownloadAnswer" => {
                let format = AnswerFormat::Json.into();
                let message = DownloadAnswerRequest {
                    name,
                    format,
                    ..Default::default()
                };
                Call::new(&self.operator, path!("DownloadAnswer"), &message)
            }
            "UpdateAnswer" => {
                let drafted: Answer = self.watched.prepared(&self.draft(&name)).await?;
                let message = UpdateAnswerRequest {
                    etag: drafted.etag.clone(),
                    answer: Some(drafted),
                    request_id: Uuid::new_v4().to_string(),
                    validate_only: false,
                };
                Call::new(&self.operator, path!("UpdateAnswer"), &message)
            }
            "ApproveAnswer" => {
                let drafted: Answer = self.watched.prepared(&self.draft(&name)).await?;
                self.approve(&name, &drafted)
            }
            _ => {
                let submitted: Request = self.watched.prepared(&self.submit(&new())).await?;
                let drafted: Answer = self.watched.prepared(&self.draft(&submitted.name)).await?;
                let approved: Answer = self.watched.prepared(&self.approve(&submitted.name, &drafted)).await?;
                self.dispatch(submitted.name, approved)
            }
        })
    }

    /// Answers a request: the number and the secret of its coupon.
    pub(super) async fn answer(&self) -> (String, String) {
        let submitted: Request = self.submit(&new()).read().await.expect("it is taken");
        let drafted: Answer = self.draft(&submitted.name).read().await.expect("it is drafted");
        let approved = self.approve(&submitted.name, &drafted).read::<Answer>().await;
        let approved = approved.expect("it is approved");
        let dispatched = self.dispatch(submitted.name, approved).read::<Answer>().await;
        dispatched.expect("it is dispatched");
        let coupon = submitted.coupon.expect("it has one");
        (coupon.number, coupon.secret)
    }
}
