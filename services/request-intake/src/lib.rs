#![doc = include_str!("../README.md")]

use std::sync::Arc;

use legalstat_kit::{
    Context, Service, bucket,
    call::MESSAGE,
    due::{self, calendar::Calendar},
    feed::Outbox,
    files::FileStore,
    schema::Tables,
    signing::SigningKeys,
    write::{self, Groups, Limits},
};
use legalstat_proto::requests::v1::request_intake_service_server::{RequestIntakeServiceServer, SERVICE_NAME};
use tonic::{codec::CompressionEncoding, service::Routes};

mod clients;
mod config;
mod current_rules;
mod db;
mod domain;
mod drafting;
mod earlier_requests;
mod erasing;
mod error;
mod examining;
mod jobs;
mod lookup;
mod rates;
mod rendering;
mod rpc;
mod shared_texts;
pub mod signature;
mod signatures;
mod watched;

/// What a coupon is made of, for who verifies one.
pub mod coupons {
    pub use crate::rpc::coupons::{content_sha256, signed};
}

/// What is right of the numbers of persons and organisations, for who asks for them.
pub mod numbers {
    pub use crate::domain::identifiers::{IdentifierError, check_bin, check_iin};
}

use clients::{calendar::Deadlines, form_registry::FormRegistry};
use config::Config;
use current_rules::CurrentRules;
use earlier_requests::EarlierRequests;
use examining::Examiner;
use lookup::Lookup;
use rates::Rate;
use rendering::Rendering;
use rpc::{
    RequestIntake, attaching,
    coupons::Coupons,
    holder::{Guesses, Readings},
    submit_request::Submissions,
};
use shared_texts::SharedTexts;
use signatures::Signatures;
use watched::Watched;

/// The tables of the schema `requests`.
static TABLES: Tables = Tables::of_service(sqlx::migrate!("./migrations"));

/// Request intake.
pub static SERVICE: Service<Config> = Service {
    name: "request-intake",
    schema: "requests",
    services: &[SERVICE_NAME],
    tables: &[&write::TABLES, &due::TABLES, &TABLES],
    config: config::read,
    check,
    start: |context, config| Box::pin(start(context, config)),
};

/// How much of SubmitRequest waits and is carried out at once: room for a thousand ordinary requests, or for twenty of the
/// largest. Two groups: while one is stored, the next
/// is examined; a third made each smaller and none faster.
const SUBMISSIONS: Limits = Limits {
    calls: 1024,
    bytes: 32 * 1024 * 1024,
    together: 64,
    side_by_side: 2,
};

fn check(config: &Config) -> anyhow::Result<()> {
    SigningKeys::open(&config.signing_keys)?;
    config.files.bucket.as_ref().map(bucket::Settings::check).transpose()?;
    Signatures::read(config.files.signature_trust.clone()).map(drop)
}

async fn start(context: Context, config: Config) -> anyhow::Result<Routes> {
    let kept = &config.files;
    let files = FileStore::open(&context, SERVICE.name, &kept.folder, kept.limit)?
        .resuming(&context, kept.partials)?
        .keeping(&context, SERVICE.name, kept.bucket.as_ref())
        .await?;
    let signatures = Arc::new(Signatures::read(kept.signature_trust.clone())?);
    let calendar = Calendar::new(&config.calendar_url, &context.tls)?;
    let form_registry = FormRegistry::new(&config.form_registry_url, &context.tls)?;
    let keys = SigningKeys::open(&config.signing_keys)?;
    keys.follow(&context);
    let coupons = Coupons::new(keys);
    db::load_rules(&context).await?;
    db::answer_rule::load(&context).await?;
    let (rules, texts) = (Arc::<CurrentRules>::default(), Arc::<SharedTexts>::default());
    let earlier = Arc::<EarlierRequests>::default();
    let feed = jobs::recompute::start(&context, calendar.clone());
    let examiner = Arc::new(Examiner {
        deadlines: Deadlines::new(calendar.clone(), feed),
        form_registry: form_registry.clone(),
    });
    jobs::attachments::start(&context, &files, kept.unbound_for);
    signatures.follow(&context);
    jobs::examination::start(&context, Arc::clone(&examiner), Arc::clone(&rules));
    jobs::owed::start(&context, Arc::clone(&examiner), Arc::clone(&rules));
    jobs::clock::start(&context, Arc::clone(&examiner));
    if config.automatic_drafts.is_on() {
        jobs::drafting::start(&context, form_registry.clone(), Arc::clone(&rules));
    }
    jobs::warning::start(&context, config.warning_days);
    let attachments = attaching::Limits {
        unbound_for: kept.unbound_for,
        unbound_bytes: kept.unbound_bytes,
    };
    let watched = Arc::new(Watched::new(context.db.clone()));
    jobs::erasure::start(&context, &files, &watched);
    let submissions = Submissions {
        context: context.clone(),
        rules: Arc::clone(&rules),
        examiner: Arc::clone(&examiner),
        texts: Arc::clone(&texts),
        earlier: Arc::clone(&earlier),
        coupons: coupons.clone(),
        attachments: attachments.clone(),
    };
    let server = RequestIntakeServiceServer::new(RequestIntake {
        submissions: Groups::start(&context, submissions, SUBMISSIONS),
        lookup: Lookup::new(context.db.clone()),
        coupons,
        guesses: Guesses::new(config.tries),
        submitted: Rate::new("submissions", config.submissions),
        uploaded: Rate::new("uploads", config.uploads),
        readings: Readings::default(),
        watched,
        outbox: Outbox::start(&context, SERVICE_NAME),
        context,
        calendar,
        rules,
        texts,
        earlier,
        files,
        signatures,
        attachments,
        form_registry,
        rendering: Rendering::new(config.rendering_turn),
        examiner,
    });
    let server = server
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MESSAGE);
    Ok(Routes::new(server))
}
