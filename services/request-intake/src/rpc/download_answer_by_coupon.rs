//! DownloadAnswerByCoupon.

use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::requests::v1::DownloadAnswerByCouponRequest;

use super::{
    RequestIntake,
    download_answer::{self, Download, Wanted},
    holder::{self, Shown},
};
use crate::rendering::For;

pub(super) async fn download_answer_by_coupon(
    service: &RequestIntake,
    call: &Call,
    message: DownloadAnswerByCouponRequest,
) -> Result<Download, Error> {
    let mut violations = Violations::new();
    let shown = Shown::read(&mut violations, &message.coupon_number, &message.secret);
    let wanted = Wanted::read(&mut violations, message.format, message.language);
    let wanted = violations.sound(wanted)?;
    let standing = holder::answer_of(service, call, shown).await?;
    download_answer::document(service, standing, wanted, For::Holder).await
}
