//! Renders answers as documents. Typesetting is work of the processor and takes tens of megabytes: it is done beside the runtime's own
//! threads, one at a time but for data alone, and what is rendered was bounded before (`MOST_FIGURES`, `MOST_BYTES`, `MOST_LINES`, `MOST_PAGES`). What was rendered
//! lately is kept, and of the holders of coupons one at a time comes to his turn: whoever downloads again and again has nothing
//! rendered again, and holds up nobody but others like himself.

use std::{sync::Arc, time::Duration};

use legalstat_answer_document::{
    Format, RenderError,
    answer::{Document, Language},
    render,
};
use legalstat_kit::{Error, Refusal, door::wire};
use legalstat_proto::common::v1::ErrorReason;
use quick_cache::{OptionsBuilder, Weighter, sync::Cache};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Code;

use crate::db::answer::Version;

/// How many documents are rendered at once.
const AT_ONCE: usize = 1;
/// How many holders of coupons wait for that at once; of the others a queue of their own.
const HOLDERS: usize = 1;
/// How many bytes of rendered documents are kept.
const KEPT: u64 = 16 * 1024 * 1024;
/// What a document takes besides its bytes.
const AROUND: u64 = 256;

/// For whom a document is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// A caller with a certificate.
    Known,
    /// The holder of a coupon.
    Holder,
}

/// What tells one document from another: the answer with its approval, the format, and the language that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key([u8; 32], Format, Option<Language>);

impl Key {
    /// Of a version. Two approvals of one answer would have two signatures.
    pub fn of(version: &Version, format: Format, language: Option<Language>) -> Self {
        let signature = version.approval.as_ref().map(|approval| approval.signature.as_slice());
        let of = [version.sha256.as_slice(), signature.unwrap_or_default()].concat();
        Self(wire::sha256(&of), format, language)
    }
}

/// A document, or why it cannot be rendered: the same every time.
type Rendered = Result<Arc<Vec<u8>>, RenderError>;

#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Rendered> for Bytes {
    fn weight(&self, _: &Key, rendered: &Rendered) -> u64 {
        AROUND + rendered.as_ref().map_or(0, |bytes| bytes.len() as u64)
    }
}

/// Where documents are rendered.
pub struct Rendering {
    places: Arc<Semaphore>,
    holders: Arc<Semaphore>,
    /// How long one waits for a place.
    turn: Duration,
    kept: Arc<Cache<Key, Rendered, Bytes>>,
}

impl Rendering {
    /// Where one waits so long for a place.
    ///
    /// # Panics
    /// Never: the numbers of the cache are given.
    pub fn new(turn: Duration) -> Self {
        // One shard: a large document must find room.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(256)
            .weight_capacity(KEPT)
            .build()
            .expect("its numbers are given");
        let kept = Cache::with_options(options, Bytes, Default::default(), Default::default());
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
            holders: Arc::new(Semaphore::new(HOLDERS)),
            turn,
            kept: Arc::new(kept),
        }
    }

    /// The document of a key, rendered unless it is kept. Who hangs up leaves it under way, with its place, for who asks next.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when too many are rendered, or it has more lines or pages than a document may have; when `document` fails.
    pub async fn render(
        &self,
        key: Key,
        format: Format,
        whom: For,
        document: impl FnOnce() -> anyhow::Result<Document>,
    ) -> Result<Arc<Vec<u8>>, Error> {
        if let Some(kept) = self.kept.get(&key) {
            return told(kept);
        }
        // Data are written in a moment, and need no place.
        let places = match format {
            Format::Json => None,
            Format::Pdf | Format::Xlsx => match tokio::time::timeout(self.turn, self.places(whom)).await {
                Ok(places) => Some(places),
                Err(_) => return Err(Refusal::overloaded("too many documents are being rendered").into()),
            },
        };
        // Who waited finds what those before have rendered.
        if let Some(kept) = self.kept.get(&key) {
            return told(kept);
        }
        let (document, kept) = (document()?, Arc::clone(&self.kept));
        let rendered = tokio::task::spawn_blocking(move || {
            let _places = places;
            let rendered: Rendered = render(&document, format).map(Arc::new);
            kept.insert(key, rendered.clone());
            rendered
        });
        told(
            rendered
                .await
                .map_err(|error| anyhow::Error::new(error).context("rendering"))?,
        )
    }

    /// A place to render in, and among the holders before it for one of them.
    async fn places(&self, whom: For) -> (Option<OwnedSemaphorePermit>, Option<OwnedSemaphorePermit>) {
        let of = |places: &Arc<Semaphore>| {
            let place = Arc::clone(places).acquire_owned();
            async { place.await.ok() }
        };
        let among_holders = match whom {
            For::Known => None,
            For::Holder => of(&self.holders).await,
        };
        (among_holders, of(&self.places).await)
    }
}

fn told(rendered: Rendered) -> Result<Arc<Vec<u8>>, Error> {
    rendered.map_err(|error| match error {
        RenderError::TooManyPages(..) | RenderError::TooManyLines(..) | RenderError::Workbook(_) => {
            let reason = ErrorReason::DocumentNotRendered;
            let refusal = Refusal::new(Code::ResourceExhausted, reason, format!("the document: {error}"));
            refusal.with("problem", &error.to_string()).into()
        }
        RenderError::Typesetting(_) => anyhow::Error::new(error).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never() -> anyhow::Result<Document> {
        anyhow::bail!("this test asks only who may render")
    }

    #[tokio::test]
    async fn data_wait_for_no_place_while_a_document_is_rendered() {
        let rendering = Rendering::new(Duration::from_millis(1));
        let _places = rendering.places(For::Holder).await;
        let render = |format, whom| rendering.render(Key([0; 32], format, None), format, whom, never);
        for whom in [For::Known, For::Holder] {
            for format in [Format::Pdf, Format::Xlsx] {
                let refused = render(format, whom).await;
                assert!(matches!(refused, Err(Error::Refusal(_))), "{format:?} {whom:?}");
            }
            let begun = render(Format::Json, whom).await;
            assert!(!matches!(begun, Err(Error::Refusal(_)) | Ok(_)), "{whom:?}");
        }
    }
}
