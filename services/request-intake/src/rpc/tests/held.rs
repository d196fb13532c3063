//! What the made-up form registry holds: figures of one indicator, the forms and editions around them, and names of territories.

use std::sync::Mutex;

use legalstat_proto::{
    common::v1 as common,
    forms::v1::{
        self as forms, Availability, AvailabilityItem, Code, Edition, Form, GetEditionRequest, GetFormRequest,
        IndicatorMatch, ItemAvailability, ListCodesRequest, ListCodesResponse, Observation, ObservationStatus,
        QueryObservationsRequest, QueryObservationsResponse,
    },
};
use tonic::{Request, Response, Status, body::Body, server::Grpc, server::UnaryService};
use tonic_prost::ProstCodec;

/// The indicator that the registry has.
pub(super) const INDICATOR: &str = "forms/2/indicators/1.1";
/// One of restricted access.
pub(super) const RESTRICTED: &str = "forms/2/indicators/9.9";

/// What is held.
#[derive(Clone, Default)]
pub(super) struct Holdings {
    /// Period, territory and value; empty for the whole country, and for a suppressed value.
    pub(super) figures: Vec<(&'static str, &'static str, &'static str)>,
    /// Whether words are taken for the indicator.
    pub(super) by_words: bool,
}

fn text(text: &str) -> Option<common::LocalizedText> {
    Some(common::LocalizedText {
        kk: format!("{text} kk"),
        ru: format!("{text} ru"),
        en: format!("{text} en"),
    })
}

impl Holdings {
    /// What is said about an item; nothing while nothing is held.
    pub(super) fn of(&self, asked: &AvailabilityItem) -> Option<ItemAvailability> {
        if self.figures.is_empty() {
            return None;
        }
        let named = asked.indicator.as_str();
        let meant = if named.is_empty() && self.by_words {
            INDICATOR
        } else {
            named
        };
        let near = IndicatorMatch {
            indicator: meant.to_owned(),
            title: text("Registered crimes"),
            likeness: 100,
            ..IndicatorMatch::default()
        };
        Some(ItemAvailability {
            availability: match meant {
                "" => Availability::Undetermined,
                INDICATOR | RESTRICTED => Availability::NotPlaced,
                _ => Availability::NotRegistered,
            }
            .into(),
            restricted: meant == RESTRICTED,
            matched: if [INDICATOR, RESTRICTED].contains(&meant) {
                meant
            } else {
                ""
            }
            .to_owned(),
            indicators: if meant.is_empty() { vec![] } else { vec![near] },
            ..ItemAvailability::default()
        })
    }

    fn query(&self, asked: &QueryObservationsRequest) -> Vec<Observation> {
        let until = if asked.until_period.is_empty() {
            &asked.period
        } else {
            &asked.until_period
        };
        let wanted = |(period, territory, _): &&(&str, &str, &str)| {
            let territory = if territory.is_empty() { "-" } else { territory };
            *period >= asked.period.as_str()
                && *period <= until.as_str()
                && asked.territories.iter().any(|asked| asked == territory)
        };
        let figures: Vec<_> = self.figures.iter().filter(wanted).collect();
        let one = |(period, territory, value): &(&str, &str, &str)| Observation {
            edition: format!("forms/2/editions/{period}"),
            revision: 1,
            indicator: INDICATOR.into(),
            territory: (*territory).into(),
            period: (*period).into(),
            value: (*value).into(),
            status: if value.is_empty() {
                ObservationStatus::Q
            } else {
                ObservationStatus::A
            }
            .into(),
            ..Observation::default()
        };
        if asked.total_over.is_empty() {
            return figures.into_iter().map(one).collect();
        }
        let mut periods: Vec<&str> = figures.iter().map(|figure| figure.0).collect();
        periods.dedup();
        let total = |period: &str| {
            let of: Vec<_> = figures.iter().filter(|figure| figure.0 == period).collect();
            let sum: i64 = of.iter().filter_map(|figure| figure.2.parse::<i64>().ok()).sum();
            Observation {
                territory: String::new(),
                value: sum.to_string(),
                parts: i32::try_from(of.len()).expect("a few"),
                ..one(of[0])
            }
        };
        periods.into_iter().map(total).collect()
    }
}

struct Answering<F>(F);

impl<A, R, F> UnaryService<A> for Answering<F>
where
    F: FnMut(A) -> R,
{
    type Response = R;
    type Future = std::future::Ready<Result<Response<R>, Status>>;

    fn call(&mut self, request: Request<A>) -> Self::Future {
        std::future::ready(Ok(Response::new((self.0)(request.into_inner()))))
    }
}

/// Answers a method about what is held.
pub(super) async fn answer(
    holdings: &Mutex<Holdings>,
    method: &str,
    request: http::Request<Body>,
) -> http::Response<Body> {
    let held = holdings.lock().expect("no test panics here").clone();
    match method {
        "QueryObservations" => {
            let answer = move |asked: QueryObservationsRequest| QueryObservationsResponse {
                observations: held.query(&asked),
                next_page_token: String::new(),
            };
            Grpc::new(ProstCodec::default()).unary(Answering(answer), request).await
        }
        "GetForm" => {
            let answer = |asked: GetFormRequest| Form {
                name: asked.name,
                title: text("Report"),
                ..Form::default()
            };
            Grpc::new(ProstCodec::default()).unary(Answering(answer), request).await
        }
        "GetEdition" => {
            let answer = |asked: GetEditionRequest| Edition {
                name: asked.name,
                revision: 1,
                content_sha256: "ab".repeat(32),
                placements: vec![forms::Placement {
                    revision: 1,
                    address: "https://stat.example/2".into(),
                    ..forms::Placement::default()
                }],
                ..Edition::default()
            };
            Grpc::new(ProstCodec::default()).unary(Answering(answer), request).await
        }
        "ListCodes" => {
            let code = |code: String| Code {
                title: text(&format!("Region {code}")),
                code,
                ..Code::default()
            };
            let answer = move |asked: ListCodesRequest| ListCodesResponse {
                codes: asked.codes.into_iter().map(code).collect(),
                next_page_token: String::new(),
            };
            Grpc::new(ProstCodec::default()).unary(Answering(answer), request).await
        }
        _ => Status::unimplemented("not of this registry").into_http(),
    }
}
