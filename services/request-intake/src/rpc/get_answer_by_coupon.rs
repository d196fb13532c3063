//! GetAnswerByCoupon.

use legalstat_kit::{Call, Error, Violations, door::languages::Languages};
use legalstat_proto::requests::v1::{self as proto, GetAnswerByCouponRequest};

use super::{
    RequestIntake, answering,
    holder::{self, Shown},
};

pub(super) async fn get_answer_by_coupon(
    service: &RequestIntake,
    call: &Call,
    message: GetAnswerByCouponRequest,
) -> Result<proto::Answer, Error> {
    let mut violations = Violations::new();
    let shown = Shown::read(&mut violations, &message.coupon_number, &message.secret);
    let languages = Languages::read(&mut violations, &message.languages);
    violations.refuse()?;
    let answer = answering::to_answer(holder::answer_of(service, call, shown).await?)?;
    Ok(languages.keep(answer))
}
