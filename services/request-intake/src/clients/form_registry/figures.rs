//! What the form registry holds of what a request asks for: figures with totals, and the editions that they come from.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    future::Future,
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, stream};
use legalstat_answer_document::{
    MOST_FIGURES,
    answer::{Breakdown, Figure, Named, Source, TotalOf, Words},
};
use legalstat_kit::{
    call::{client, deadline},
    repeated,
};
use legalstat_proto::{
    common::v1::LocalizedText,
    forms::v1::{
        Availability, AvailabilityView, CheckAvailabilityRequest, GetEditionRequest, GetFormRequest, ItemAvailability,
        ListCodesRequest, Observation, ObservationStatus, QueryObservationsRequest,
    },
};
use tokio::time::Instant;
use tonic::Status;

use super::{FormRegistry, MOST, NAME, ask, availability_item};
use crate::domain::{
    answering::{Gathered, Looked, Why, untitled},
    evidence::Answer,
    names,
    request::Item,
};

/// How many questions are asked side by side.
const TOGETHER: usize = 4;
/// How many figures come in a page.
const PAGE: i32 = 1000;
/// The whole country among territories.
const WHOLE: &str = "-";

/// Why gathering stopped.
enum Stop {
    Away,
    Refused(String),
}

/// An item that asks for figures, with what the registers know of it.
struct Asked<'i> {
    item: &'i Item,
    known: ItemAvailability,
}

impl FormRegistry {
    /// Gathers what is asked for, in the order of the items.
    pub async fn gather(&self, items: &[Item], patience: Duration) -> Answer<Gathered> {
        let gathering = Gathering {
            registry: self,
            until: Instant::now() + deadline::remaining(patience),
        };
        match gathering.all(items).await {
            Ok(gathered) => Answer::Given(gathered),
            Err(Stop::Away) => Answer::Away,
            Err(Stop::Refused(reason)) => Answer::Refused(reason),
        }
    }
}

struct Gathering<'r> {
    registry: &'r FormRegistry,
    until: Instant,
}

impl Gathering<'_> {
    async fn all(&self, items: &[Item]) -> Result<Gathered, Stop> {
        let known = self.availability(items).await?;
        let asked = items.iter().zip(known).map(|(item, known)| Asked { item, known });
        let looked: Vec<_> = asked.map(|asked| self.look(asked)).collect();
        let mut gathered = Gathered {
            items: side_by_side(looked).await?,
            sources: Vec::new(),
        };
        gathered.sources = self.sources(&gathered.items).await?;
        self.name_territories(&mut gathered.items).await?;
        Ok(gathered)
    }

    /// Asks one question, as long as there is time.
    async fn one<T>(&self, call: impl Future<Output = Result<T, Status>>) -> Result<T, Stop> {
        let left = self.until.saturating_duration_since(Instant::now());
        match ask(NAME, left, call).await {
            Answer::Given(answer) => Ok(answer),
            Answer::Refused(reason) => Err(Stop::Refused(reason)),
            Answer::Away => Err(Stop::Away),
        }
    }

    async fn availability(&self, items: &[Item]) -> Result<Vec<ItemAvailability>, Stop> {
        let mut known = Vec::with_capacity(items.len());
        for items in items.chunks(MOST) {
            let mut client = self.registry.client.clone();
            let message = CheckAvailabilityRequest {
                items: items.iter().map(availability_item).collect(),
                view: AvailabilityView::Basic.into(),
                languages: Vec::new(),
            };
            let answer = self
                .one(async move { client.check_availability(client::request(message)).await })
                .await?;
            let answered = answer.into_inner().items;
            if answered.len() != items.len() {
                let told = "it answered about another number of items";
                if let Some(unlogged) = repeated::to_log(told) {
                    tracing::error!(service = NAME, unlogged, "{told}");
                }
                return Err(Stop::Away);
            }
            known.extend(answered);
        }
        Ok(known)
    }

    async fn look(&self, asked: Asked<'_>) -> Result<Looked, Stop> {
        let without = |why| Ok(Looked::Without(why, String::new()));
        let Asked { item, known } = &asked;
        if known.restricted {
            return without(Why::Restricted);
        }
        if item.detail.is_some() || names::is_detail(&known.matched) {
            return without(Why::Detail);
        }
        if known.availability() == Availability::NotRegistered {
            return without(Why::NotRegistered);
        }
        let Some((form, code)) = known.matched.split_once("/indicators/") else {
            return without(Why::Unmatched);
        };
        let Some(period) = item.period else {
            return without(Why::NoFigures);
        };
        let whole = [WHOLE.to_owned()];
        let territories = if item.territories.is_empty() {
            &whole[..]
        } else {
            &item.territories
        };
        let query = QueryObservationsRequest {
            parent: form.to_owned(),
            indicators: vec![code.to_owned()],
            period: period.to_string(),
            until_period: item.until_period.map(|until| until.to_string()).unwrap_or_default(),
            territories: territories.to_vec(),
            page_size: PAGE,
            ..QueryObservationsRequest::default()
        };
        let title = title(known);
        match self.figures(query, &title, item.territories.len() > 1).await {
            Ok(figures) => Ok(Looked::With(figures)),
            Err(Stop::Refused(reason)) => Ok(Looked::Without(Why::Untold, reason)),
            Err(Stop::Away) => Err(Stop::Away),
        }
    }

    /// Single figures, and after them their totals over the territories where there are several.
    async fn figures(
        &self,
        query: QueryObservationsRequest,
        title: &Words,
        with_totals: bool,
    ) -> Result<Vec<Figure>, Stop> {
        let single = plain(self.pages(query.clone()).await?);
        let mut figures: Vec<Figure> = single.into_iter().map(|one| figure(one, title)).collect();
        if with_totals && figures.len() > 1 && figures.len() <= MOST_FIGURES {
            let total_over = vec!["TERRITORY".to_owned()];
            let totals = self.pages(QueryObservationsRequest { total_over, ..query }).await?;
            let is_wanted = |total: &&Observation| {
                let of_same = figures.iter().filter(|one| one.period == total.period);
                let broken_down_as = |one: &Figure| one.breakdown.is_empty() == total.dimensions.is_empty();
                total.parts > 1 && of_same.into_iter().any(broken_down_as)
            };
            let totals: Vec<Figure> = totals
                .iter()
                .filter(is_wanted)
                .cloned()
                .map(|total| figure(total, title))
                .collect();
            figures.extend(totals);
        }
        Ok(figures)
    }

    /// All pages of a query, up to what an answer holds and one more.
    async fn pages(&self, mut query: QueryObservationsRequest) -> Result<Vec<Observation>, Stop> {
        let mut all = Vec::new();
        loop {
            let (mut client, message) = (self.registry.client.clone(), query.clone());
            let page = self
                .one(async move { client.query_observations(client::request(message)).await })
                .await?
                .into_inner();
            all.extend(page.observations);
            if page.next_page_token.is_empty() || all.len() > MOST_FIGURES {
                return Ok(all);
            }
            query.page_token = page.next_page_token;
        }
    }

    /// The editions that figures come from, with what their forms are called.
    async fn sources(&self, items: &[Looked]) -> Result<Vec<Source>, Stop> {
        let names: BTreeSet<&str> = figures_of(items).map(|figure| figure.edition.as_str()).collect();
        let forms: BTreeSet<&str> = names
            .iter()
            .filter_map(|name| name.split_once("/editions/"))
            .map(|(form, _)| form)
            .collect();
        let titled: Vec<_> = forms.iter().map(|form| self.form_title(form)).collect();
        let titles = side_by_side(titled).await?;
        let titles: HashMap<&str, Words> = forms.into_iter().zip(titles).collect();
        let editions: Vec<_> = names.into_iter().map(|name| self.source(name)).collect();
        let mut sources = side_by_side(editions).await?;
        for source in &mut sources {
            let form = source.edition.split_once("/editions/").map_or("", |(form, _)| form);
            source.title = titles.get(form).cloned().unwrap_or_default();
        }
        Ok(sources)
    }

    async fn form_title(&self, form: &str) -> Result<Words, Stop> {
        let mut client = self.registry.client.clone();
        let message = GetFormRequest {
            name: form.to_owned(),
            ..GetFormRequest::default()
        };
        match self
            .one(async move { client.get_form(client::request(message)).await })
            .await
        {
            Ok(form) => Ok(words(form.into_inner().title)),
            // One that has ended since has no title today; its editions stand.
            Err(Stop::Refused(_)) => Ok(Words::default()),
            Err(Stop::Away) => Err(Stop::Away),
        }
    }

    async fn source(&self, name: &str) -> Result<Source, Stop> {
        let mut client = self.registry.client.clone();
        let message = GetEditionRequest {
            name: name.to_owned(),
            view: legalstat_proto::forms::v1::EditionView::Basic.into(),
            languages: Vec::new(),
        };
        let edition = self
            .one(async move { client.get_edition(client::request(message)).await })
            .await?;
        let edition = edition.into_inner();
        let mut placed = edition
            .placements
            .iter()
            .filter(|placement| placement.revision == edition.revision);
        let address = placed.find(|placement| !placement.address.is_empty());
        Ok(Source {
            edition: name.to_owned(),
            title: Words::default(),
            revision: edition.revision.unsigned_abs(),
            sha256: edition.content_sha256.clone(),
            address: address.map(|placement| placement.address.clone()).unwrap_or_default(),
        })
    }

    /// Gives territories their names, as they are called now.
    async fn name_territories(&self, items: &mut [Looked]) -> Result<(), Stop> {
        let codes: BTreeSet<String> = figures_of(items)
            .map(|figure| figure.territory.code.clone())
            .filter(|code| !code.is_empty())
            .collect();
        let codes: Vec<String> = codes.into_iter().collect();
        let mut titles: BTreeMap<String, Words> = BTreeMap::new();
        for codes in codes.chunks(MOST) {
            let mut client = self.registry.client.clone();
            let message = ListCodesRequest {
                parent: "codeLists/KATO".to_owned(),
                codes: codes.to_vec(),
                page_size: PAGE,
                ..ListCodesRequest::default()
            };
            match self
                .one(async move { client.list_codes(client::request(message)).await })
                .await
            {
                // Of several versions of a code the last one stands.
                Ok(listed) => {
                    let codes = listed.into_inner().codes.into_iter();
                    titles.extend(codes.map(|code| (code.code, words(code.title))));
                }
                // Without the list, codes stand for themselves.
                Err(Stop::Refused(_)) => return Ok(()),
                Err(Stop::Away) => return Err(Stop::Away),
            }
        }
        for looked in items {
            if let Looked::With(figures) = looked {
                for figure in figures {
                    if let Some(title) = titles.get(&figure.territory.code) {
                        figure.territory.title = title.clone();
                    }
                }
            }
        }
        Ok(())
    }
}

/// Waits for questions, some of them at once, and gives their answers in order.
async fn side_by_side<T>(asked: Vec<impl Future<Output = Result<T, Stop>>>) -> Result<Vec<T>, Stop> {
    stream::iter(asked).buffered(TOGETHER).try_collect().await
}

fn figures_of(items: &[Looked]) -> impl Iterator<Item = &Figure> {
    items.iter().flat_map(|looked| match looked {
        Looked::With(figures) => figures.as_slice(),
        Looked::Without(..) | Looked::Elsewhere(_) => &[],
    })
}

/// Of each period and territory the figures that are not broken down, where there are such, else those there are: nothing was asked
/// for by sex or age, and a breakdown beside its whole would be read twice.
fn plain(all: Vec<Observation>) -> Vec<Observation> {
    let key = |one: &Observation| (one.period.clone(), one.territory.clone());
    let whole: BTreeSet<(String, String)> = all.iter().filter(|one| one.dimensions.is_empty()).map(key).collect();
    let wanted = |one: &Observation| one.dimensions.is_empty() || !whole.contains(&key(one));
    all.into_iter().filter(wanted).collect()
}

fn figure(one: Observation, title: &Words) -> Figure {
    let status = ObservationStatus::try_from(one.status).unwrap_or_default();
    let letter = status.as_str_name().trim_start_matches("OBSERVATION_STATUS_");
    let breakdown = one
        .dimensions
        .into_iter()
        .filter(|by| !by.code.is_empty())
        .map(|by| Breakdown {
            dimension: by.dimension,
            code: untitled(&by.code),
        });
    Figure {
        indicator: Named {
            code: one.indicator,
            title: title.clone(),
        },
        territory: untitled(&one.territory),
        period: one.period,
        breakdown: breakdown.collect(),
        value: one.value,
        status: if status == ObservationStatus::Unspecified {
            "A"
        } else {
            letter
        }
        .to_owned(),
        note: words(one.note),
        total_of: (one.parts > 0).then(|| TotalOf {
            parts: one.parts.unsigned_abs(),
            missing: one.missing_parts.unsigned_abs(),
        }),
        edition: one.edition,
        by_hand: false,
    }
}

/// What the indicator that an item means is called.
fn title(known: &ItemAvailability) -> Words {
    let mut near = known.indicators.iter();
    let meant = near.find(|near| near.indicator == known.matched);
    words(meant.and_then(|meant| meant.title.clone()))
}

fn words(text: Option<LocalizedText>) -> Words {
    let LocalizedText { kk, ru, en } = text.unwrap_or_default();
    Words { kk, ru, en }
}
