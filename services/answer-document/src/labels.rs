//! The words of a document's own: headings, and what the registers write as words and codes. They are no part of what is signed.

use serde::Serialize;

use crate::answer::{Capacity, Language, Law, Provision};

/// Headings and fixed sentences of a document.
#[derive(Clone, Debug, Serialize)]
pub struct Labels {
    pub title: &'static str,
    pub draft: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    pub address: &'static str,
    pub bin: &'static str,
    pub registration: &'static str,
    pub received: &'static str,
    pub coupon: &'static str,
    pub external: &'static str,
    pub item: &'static str,
    pub unit: &'static str,
    pub period: &'static str,
    pub indicator: &'static str,
    pub territory: &'static str,
    pub breakdown: &'static str,
    pub value: &'static str,
    pub note: &'static str,
    pub source: &'static str,
    pub total: &'static str,
    pub whole_country: &'static str,
    pub by_hand: &'static str,
    pub not_provided: &'static str,
    pub sources: &'static str,
    pub edition: &'static str,
    pub revision: &'static str,
    pub open_at: &'static str,
    pub appeal: &'static str,
    pub law: &'static str,
    pub assumed: &'static str,
    pub drafted: &'static str,
    pub edited: &'static str,
    pub approved: &'static str,
    pub signed: &'static str,
    pub digest: &'static str,
    pub page: &'static str,
    pub figures: &'static str,
    pub state: &'static str,
    pub data: &'static str,
    pub data_explained: &'static str,
    pub date: &'static str,
    pub committee: &'static str,
}

static KK: Labels = Labels {
    title: "Сұрау салуға жауап",
    draft: "ЖОБА: бекітілмеген",
    from: "Жауап беретін орган",
    to: "Кімге",
    address: "Мекенжайы",
    bin: "БСН",
    registration: "Тіркеу нөмірі",
    received: "Келіп түскен күні",
    coupon: "Талон нөмірі",
    external: "Сіздің нөміріңіз",
    item: "Тармақ",
    unit: "Бірлігі",
    period: "Кезең",
    indicator: "Көрсеткіш",
    territory: "Аумақ",
    breakdown: "Бөлініс",
    value: "Мәні",
    note: "Ескертпе",
    source: "Дереккөз",
    total: "Барлығы",
    whole_country: "Қазақстан Республикасы",
    by_hand: "қызметкер енгізген",
    not_provided: "Берілмейді",
    sources: "Дереккөздер",
    edition: "Шығарылым",
    revision: "Редакция",
    open_at: "Ашық жарияланған мекенжай",
    appeal: "Жауапқа шағымдану тәртібі",
    law: "Құқықтық негіз",
    assumed: "болжам",
    drafted: "Дайындаған",
    edited: "Түзеткен",
    approved: "Бекіткен",
    signed: "Электрондық қолтаңба осы құжатқа answer.p7s файлымен қоса берілген.",
    digest: "Жауап деректерінің SHA-256",
    page: "бет",
    figures: "Көрсеткіштер",
    state: "Күйі",
    data: "Деректер",
    data_explained: "Бұл парақта қол қойылған деректер тұр; оларды өзгертпеңіз.",
    date: "Күні",
    committee: "Қазақстан Республикасы Бас прокуратурасының Құқықтық статистика және арнайы есепке алу жөніндегі комитеті",
};

static RU: Labels = Labels {
    title: "Ответ на запрос",
    draft: "ПРОЕКТ: не утверждён",
    from: "Отвечающий орган",
    to: "Кому",
    address: "Адрес",
    bin: "БИН",
    registration: "Регистрационный номер",
    received: "Дата поступления",
    coupon: "Номер талона",
    external: "Ваш номер",
    item: "Пункт",
    unit: "Единица",
    period: "Период",
    indicator: "Показатель",
    territory: "Территория",
    breakdown: "Разрез",
    value: "Значение",
    note: "Примечание",
    source: "Источник",
    total: "Итого",
    whole_country: "Республика Казахстан",
    by_hand: "внесено сотрудником",
    not_provided: "Не предоставляется",
    sources: "Источники",
    edition: "Выпуск",
    revision: "Редакция",
    open_at: "Открыто размещено по адресу",
    appeal: "Порядок обжалования ответа",
    law: "Правовое основание",
    assumed: "предположительно",
    drafted: "Подготовил",
    edited: "Правил",
    approved: "Утвердил",
    signed: "Электронная подпись приложена к этому документу файлом answer.p7s.",
    digest: "SHA-256 данных ответа",
    page: "стр.",
    figures: "Показатели",
    state: "Состояние",
    data: "Данные",
    data_explained: "На этом листе подписанные данные; не изменяйте их.",
    date: "Дата",
    committee: "Комитет по правовой статистике и специальным учётам Генеральной прокуратуры Республики Казахстан",
};

static EN: Labels = Labels {
    title: "Answer to a request",
    draft: "DRAFT: not approved",
    from: "Answering body",
    to: "To",
    address: "Address",
    bin: "BIN",
    registration: "Registration number",
    received: "Day of receipt",
    coupon: "Coupon number",
    external: "Your number",
    item: "Item",
    unit: "Unit",
    period: "Period",
    indicator: "Indicator",
    territory: "Territory",
    breakdown: "Breakdown",
    value: "Value",
    note: "Note",
    source: "Source",
    total: "Total",
    whole_country: "Republic of Kazakhstan",
    by_hand: "entered by an official",
    not_provided: "Not provided",
    sources: "Sources",
    edition: "Edition",
    revision: "Revision",
    open_at: "Openly placed at",
    appeal: "How to appeal against this answer",
    law: "Legal basis",
    assumed: "assumed",
    drafted: "Drafted by",
    edited: "Edited by",
    approved: "Approved by",
    signed: "The electronic signature is attached to this document as answer.p7s.",
    digest: "SHA-256 of the answer's data",
    page: "page",
    figures: "Figures",
    state: "State",
    data: "Data",
    data_explained: "This sheet holds the signed data; do not change it.",
    date: "Date",
    committee: "Committee on Legal Statistics and Special Records of the Prosecutor General's Office of the Republic of Kazakhstan",
};

/// The labels of a language.
pub fn labels(language: Language) -> &'static Labels {
    match language {
        Language::Kk => &KK,
        Language::Ru => &RU,
        Language::En => &EN,
    }
}

fn of(language: Language, kk: &'static str, ru: &'static str, en: &'static str) -> &'static str {
    match language {
        Language::Kk => kk,
        Language::Ru => ru,
        Language::En => en,
    }
}

/// A unit of the Instruction's paragraph 8; another as it is written.
pub fn unit(word: &str, language: Language) -> &str {
    match word {
        "CRIME" => of(language, "қылмыс", "преступление", "crime"),
        "OFFENCE" => of(language, "құқық бұзушылық", "правонарушение", "offence"),
        "CRIMINAL_CASE" => of(language, "қылмыстық іс", "уголовное дело", "criminal case"),
        "PERSON" => of(language, "адам", "лицо", "person"),
        other => other,
    }
}

/// Whether an item is provided.
pub fn provision(provision: Provision, language: Language) -> &'static str {
    match provision {
        Provision::Provided => of(language, "беріледі", "предоставляется", "provided"),
        Provision::PartlyProvided => of(
            language,
            "ішінара беріледі",
            "предоставляется частично",
            "partly provided",
        ),
        Provision::NotProvided => of(language, "берілмейді", "не предоставляется", "not provided"),
    }
}

/// The capacity of who approved.
pub fn capacity(capacity: Capacity, language: Language) -> &'static str {
    match capacity {
        Capacity::Head => of(language, "басшы", "руководитель", "head"),
        Capacity::Deputy => of(
            language,
            "басшының орынбасары",
            "заместитель руководителя",
            "deputy head",
        ),
        Capacity::HeadOfApparatus => of(
            language,
            "аппарат басшысы",
            "руководитель аппарата",
            "head of the apparatus",
        ),
    }
}

/// An observation status of SDMX (CL_OBS_STATUS); nothing of a normal value, and an unknown one as it is written.
pub fn status(word: &str, language: Language) -> &str {
    match word {
        "" | "A" => "",
        "B" => of(language, "қатардың үзілуі", "разрыв ряда", "time series break"),
        "D" => of(language, "анықтамасы өзгеше", "иное определение", "definition differs"),
        "E" => of(language, "бағалау", "оценка", "estimated"),
        "F" => of(language, "болжам", "прогноз", "forecast"),
        "G" => of(language, "эксперименттік", "экспериментальное", "experimental"),
        "I" => of(language, "толықтырылған", "досчитано", "imputed"),
        "J" => of(language, "ерекшелік", "изъятие", "derogation"),
        "K" => of(
            language,
            "басқа санатта ескерілген",
            "учтено в другой категории",
            "included in another category",
        ),
        "L" => of(language, "деректер жиналмаған", "данные не собирались", "not collected"),
        "M" => of(
            language,
            "деректер болуы мүмкін емес",
            "данных быть не может",
            "data cannot exist",
        ),
        "N" => of(language, "маңызды емес", "незначимо", "not significant"),
        "O" => of(language, "деректер жоқ", "данных нет", "missing"),
        "P" => of(language, "алдын ала", "предварительно", "provisional"),
        "Q" => of(language, "жасырылған", "скрыто", "suppressed"),
        "S" => of(language, "ерекше оқиғалар", "особые события", "special events"),
        "U" => of(language, "сенімділігі төмен", "низкая надёжность", "low reliability"),
        "V" => of(language, "тексерілмеген", "не проверено", "unvalidated"),
        "W" => of(
            language,
            "басқа санатты қамтиды",
            "включает другую категорию",
            "includes another category",
        ),
        other => other,
    }
}

/// The acts that the registers cite by a short name, as a document writes them.
const ACTS: [(&str, &str, &str); 6] = [
    ("Instruction", "Нұсқаулық", "Инструкция"),
    ("Code 350-VI", "350-VI Кодекс", "Кодекс 350-VI"),
    ("Law No. 221", "№ 221 Заң", "Закон № 221"),
    ("Law No. 510", "№ 510 Заң", "Закон № 510"),
    ("Law 510", "№ 510 Заң", "Закон № 510"),
    (
        "Constitutional Law 155-VII",
        "155-VII Конституциялық заң",
        "Конституционный закон 155-VII",
    ),
];

/// A provision as a document cites it: articles and paragraphs in the words of the language, everything else as it is.
pub fn citation(law: &Law, language: Language) -> String {
    let known = ACTS.iter().find(|(act, ..)| *act == law.act);
    let act = match (known, language) {
        (Some((_, kk, _)), Language::Kk) => kk,
        (Some((.., ru)), Language::Ru) => ru,
        _ => law.act.as_str(),
    };
    let provision = match language {
        Language::En => law.provision.clone(),
        Language::Ru => ["paras ", "para ", "arts. ", "art. "]
            .iter()
            .zip(["пп. ", "п. ", "ст. ", "ст. "])
            .fold(law.provision.replace(" and ", " и "), |text, (en, ru)| {
                text.replace(en, ru)
            }),
        Language::Kk => ["paras ", "para ", "arts. ", "art. "]
            .iter()
            .zip(["тармақтар ", "тармақ ", "баптар ", "бап "])
            .fold(law.provision.replace(" and ", " және "), |text, (en, kk)| {
                text.replace(en, kk)
            }),
    };
    let comma = if provision.is_empty() { "" } else { ", " };
    let assumed = if law.assumed {
        format!(" ({})", labels(language).assumed)
    } else {
        String::new()
    };
    format!("{act}{comma}{provision}{assumed}")
}
