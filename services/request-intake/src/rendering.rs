//! Renders answers as documents. Typesetting is work of the processor and takes tens of megabytes: it is done beside the runtime's own
//! threads, one at a time, and what is rendered was bounded before (`MOST_FIGURES`, `MOST_BYTES`, `MOST_LINES`, `MOST_PAGES`).

use std::{sync::Arc, time::Duration};

use legalstat_answer_document::{Format, RenderError, answer::Document, render};
use legalstat_kit::{Error, Refusal};
use legalstat_proto::common::v1::ErrorReason;
use tokio::sync::Semaphore;
use tonic::Code;

/// How many documents are rendered at once.
const AT_ONCE: usize = 1;
/// How long one waits for its turn.
const TURN: Duration = Duration::from_secs(10);

/// Where documents are rendered.
pub struct Rendering {
    places: Arc<Semaphore>,
}

impl Default for Rendering {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Rendering {
    /// Renders a document. Who hangs up leaves it under way, with its place.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when too many are rendered, or it has more lines or pages than a document may have.
    pub async fn render(&self, document: Document, format: Format) -> Result<Vec<u8>, Error> {
        let place = Arc::clone(&self.places).acquire_owned();
        let place = match tokio::time::timeout(TURN, place).await {
            Ok(Ok(place)) => place,
            _ => return Err(Refusal::overloaded("too many documents are being rendered").into()),
        };
        let rendered = tokio::task::spawn_blocking(move || {
            let _place = place;
            render(&document, format)
        });
        let rendered = rendered
            .await
            .map_err(|error| anyhow::Error::new(error).context("rendering"))?;
        rendered.map_err(|error| match error {
            RenderError::TooManyPages(..) | RenderError::TooManyLines(..) | RenderError::Workbook(_) => {
                let reason = ErrorReason::DocumentNotRendered;
                let refusal = Refusal::new(Code::ResourceExhausted, reason, format!("the document: {error}"));
                refusal.with("problem", &error.to_string()).into()
            }
            RenderError::Typesetting(_) => anyhow::Error::new(error).into(),
        })
    }
}
