//! Every reason of a refusal: its codes and its texts.

use legalstat_proto::common::v1::ErrorReason::{self, *};
use tonic::Code;

use super::{Text, text};

/// The gRPC codes with which this reason is sent, the usual one first.
pub fn codes(reason: ErrorReason) -> &'static [Code] {
    match reason {
        Unspecified => &[],
        InvalidFields | RequestIdReused | PageTokenInvalid | FileTooLarge | ActContradicts | MessageUnreadable
        | TimeoutUnreadable | ReceiptNotTrue => &[Code::InvalidArgument],
        DigestMismatch => &[Code::InvalidArgument, Code::DataLoss],
        ResourceNotFound => &[Code::NotFound],
        CertificateRequired | CertificateUnusable => &[Code::Unauthenticated],
        RoleMissing | ChannelNotOfCaller | EditionEmbargoed => &[Code::PermissionDenied],
        WrongState
        | PeriodNotEnded
        | ContentMissing
        | EditionNotPlaced
        | NotOnOpenDataList
        | DistributionUnresolved
        | SamePerson
        | SuspensionNotAllowed
        | NamesMissing
        | AnswerNotApproved
        | AnswerOutdated
        | EditionNotSealed
        | EditionWithdrawn
        | RestrictedInformation
        | UploadIncomplete
        | ChannelNotOrdered
        | VerbNotOrdered
        | ClarificationRepeated
        | CureTermRunning
        | GroundContradicted
        | CureTermPassed
        | DueDatePassed
        | AlreadyExtended
        | DataErased
        | SignatureRequired
        | DistributionChanged
        | NoEndpoint
        | ReleaseEmbargoed
        | MarkedCopiesDiffer
        | RecipientEnded
        | EditionRecalled => &[Code::FailedPrecondition],
        YearOutOfRange | NoTermApplies | ExtensionTooLong => &[Code::OutOfRange],
        DependencyUnavailable
        | DependencyBusy
        | StorageFull
        | StorageFailing
        | ServiceStopping
        | SigningKeyUnknown
        | RecipientNotServed => &[Code::Unavailable],
        DeadlineExceeded => &[Code::DeadlineExceeded],
        Internal => &[Code::Internal],
        Overloaded | MessageTooLarge | DocumentNotRendered | TooManyTries | RateExceeded => &[Code::ResourceExhausted],
        MethodUnknown | CompressionUnknown => &[Code::Unimplemented],
        AlreadyExists => &[Code::AlreadyExists],
        EtagMismatch => &[Code::Aborted],
    }
}

/// What the reason is called.
pub fn error(reason: ErrorReason) -> Text {
    match reason {
        // Never sent.
        Unspecified => text("", "", ""),
        InvalidFields => text(
            "Сұраудың кейбір өрістері ережелерге сай келмейді.",
            "Некоторые поля запроса не соответствуют правилам.",
            "Some fields of the request break their rules.",
        ),
        RequestIdReused => text(
            "Бұл request_id басқа мазмұнмен бұрын пайдаланылған.",
            "Этот request_id уже использован с другим содержанием.",
            "This request_id was already used with another content.",
        ),
        PageTokenInvalid => text(
            "Бет белгісі бұл сұрауға тиесілі емес: тізімді басынан бастаңыз.",
            "Метка страницы не относится к этому запросу: начните список сначала.",
            "The page token does not belong to this query: begin the list anew.",
        ),
        ResourceNotFound => text(
            "Мұндай жазба жоқ немесе ол сізге қолжетімді емес.",
            "Такой записи нет, или она вам недоступна.",
            "There is no such record, or not for you.",
        ),
        CertificateRequired => text(
            "Бұл әрекет үшін клиент сертификаты қажет.",
            "Для этого действия нужен сертификат клиента.",
            "This needs a client certificate.",
        ),
        CertificateUnusable => text(
            "Көрсетілген сертификатты пайдалануға болмайды.",
            "Предъявленный сертификат не может быть использован.",
            "The certificate shown cannot be used.",
        ),
        RoleMissing => text(
            "Сіздің рөліңіз бұл әрекетке құқық бермейді.",
            "Ваша роль не даёт права на это действие.",
            "Your role does not permit this.",
        ),
        ChannelNotOfCaller => text(
            "Сіз сұрау салуды бұл арна арқылы бере алмайсыз.",
            "Вы не можете подать запрос через этот канал.",
            "You may not bring a request through this channel.",
        ),
        WrongState => text(
            "Жазбаның қазіргі күйі бұған жол бермейді.",
            "Нынешнее состояние записи этого не допускает.",
            "The present state of the record does not allow this.",
        ),
        PeriodNotEnded => text(
            "Есепті кезең әлі аяқталған жоқ.",
            "Отчётный период ещё не закончился.",
            "The reporting period has not ended yet.",
        ),
        ContentMissing => text(
            "Шығарылымның мазмұны жоқ.",
            "У выпуска нет содержания.",
            "The edition has no content.",
        ),
        EditionNotPlaced => text(
            "Шығарылым әлі орналастырылған жоқ.",
            "Выпуск ещё не размещён.",
            "The edition is not placed yet.",
        ),
        NotOnOpenDataList => text(
            "Нысан ашық деректердің бекітілген тізбесінде жоқ.",
            "Формы нет в утверждённом перечне открытых данных.",
            "The form is not on the approved list of open data.",
        ),
        DistributionUnresolved => text(
            "1-қосымшаның кейбір ұяшықтары анықталмаған.",
            "Некоторые ячейки приложения 1 не определены.",
            "Cells of Appendix 1 are unresolved.",
        ),
        DigestMismatch => text(
            "Мазмұнның бақылау сомасы көрсетілгенге сай емес.",
            "Контрольная сумма содержания не совпадает с указанной.",
            "The digest given is not that of the content.",
        ),
        FileTooLarge => text(
            "Файл рұқсат етілген көлемнен үлкен.",
            "Файл больше допустимого размера.",
            "The file is larger than a file may be.",
        ),
        YearOutOfRange => text(
            "Күнтізбе тек 2016–2036 жылдарға жауап береді.",
            "Календарь отвечает только за 2016–2036 годы.",
            "The calendar answers for 2016 to 2036 only.",
        ),
        NoTermApplies => text(
            "Бұл сұрау салушы үшін осы уақытта ешбір мерзім қағидасы қолданылмайды.",
            "Для этого запрашивающего в это время не действует ни одно правило о сроке.",
            "No term rule governs this requester at this time.",
        ),
        DependencyUnavailable => text(
            "Қызметтің қажетті бөлігі қазір қолжетімсіз: сәл кейінірек қайталаңыз, өзгерісті сол request_id арқылы.",
            "Необходимая часть системы сейчас недоступна: повторите немного позже, изменение — с тем же request_id.",
            "Something that this needs is away: try again a little later, a mutation with its request_id.",
        ),
        DependencyBusy => text(
            "Дерекқор қазір бос емес: сәл кейінірек қайталаңыз, өзгерісті сол request_id арқылы.",
            "База данных сейчас занята: повторите немного позже, изменение — с тем же request_id.",
            "The database is busy: try again a little later, a mutation with its request_id.",
        ),
        StorageFull => text(
            "Сақтау орны таусылды: кейінірек қайталаңыз.",
            "Место для хранения закончилось: повторите позже.",
            "There is no room to store anything: try again later.",
        ),
        StorageFailing => text(
            "Сақтау құрылғысы істен шықты: кейінірек қайталаңыз, өзгерісті сол request_id арқылы.",
            "Хранилище неисправно: повторите позже, изменение — с тем же request_id.",
            "What is stored cannot be read or written: try again later, a mutation with its request_id.",
        ),
        DeadlineExceeded => text(
            "Шақырудың уақыты өтті: орындалған-орындалмағанын білу үшін оны сол request_id арқылы қайталаңыз.",
            "Время вызова истекло: повторите его с тем же request_id, чтобы узнать, выполнен ли он.",
            "The deadline of the call passed: repeat it with the same request_id to learn whether it was done.",
        ),
        Internal => text(
            "Күтпеген қате: ол журналға жазылды, ештеңе өзгерген жоқ.",
            "Непредвиденная ошибка: она записана в журнал, ничего не изменено.",
            "An unexpected error: it was logged, and nothing was changed.",
        ),
        Overloaded => text(
            "Жүйенің жүктемесі тым көп: сәл кейінірек қайталаңыз.",
            "Система перегружена: повторите немного позже.",
            "More is asked at once than can be done: try again a little later.",
        ),
        SamePerson => text(
            "Бекітуші дайындаған адамнан өзге адам болуы тиіс.",
            "Утверждать должно другое лицо, а не то, которое готовило.",
            "Who approves must be another person than who prepared.",
        ),
        MethodUnknown => text(
            "Бұл серверде мұндай әдіс жоқ.",
            "На этом сервере нет такого метода.",
            "This server has no such method.",
        ),
        AlreadyExists => text(
            "Мұндай жазба бұрыннан бар.",
            "Такая запись уже есть.",
            "There is such a record already.",
        ),
        ActContradicts => text(
            "Акт өзіне өзі немесе белгілі деректерге қайшы келеді.",
            "Акт противоречит сам себе или уже известному.",
            "The act contradicts itself or what is known.",
        ),
        MessageUnreadable => text(
            "Хабарламаны оқу мүмкін емес.",
            "Сообщение не удаётся прочитать.",
            "The message cannot be read.",
        ),
        SuspensionNotAllowed => text(
            "Ешбір заң бұл мерзімді тоқтата тұруға жол бермейді.",
            "Ни один закон не позволяет приостановить этот срок.",
            "No law lets this term be suspended.",
        ),
        MessageTooLarge => text(
            "Хабарлама рұқсат етілген көлемнен үлкен.",
            "Сообщение больше допустимого размера.",
            "The message is larger than a message may be.",
        ),
        CompressionUnknown => text(
            "Хабарлама қабылданбайтын әдіспен қысылған.",
            "Сообщение сжато способом, который здесь не принимается.",
            "The message is compressed in a way that is not taken here.",
        ),
        TimeoutUnreadable => text(
            "Шақыру мерзімінің тақырыбын оқу мүмкін емес.",
            "Заголовок со сроком вызова не удаётся прочитать.",
            "The header with the deadline of the call cannot be read.",
        ),
        ServiceStopping => text(
            "Қызмет тоқтатылуда: соңғы белгіден бастап қайта қосылыңыз.",
            "Служба останавливается: подключитесь снова с последней метки.",
            "The service stops: watch again from the last token.",
        ),
        NamesMissing => text(
            "Қазақ немесе орыс тіліндегі атаулар жетіспейді, оларсыз ашық деректер порталы қабылдамайды.",
            "Не хватает названий на казахском или русском языке, без которых портал открытых данных не принимает.",
            "Names are missing in Kazakh or Russian, without which the open data portal takes nothing.",
        ),
        AnswerNotApproved => text(
            "Жауаптың соңғы нұсқасы бекітілмеген.",
            "Последняя версия ответа не утверждена.",
            "The last version of the answer is not approved.",
        ),
        AnswerOutdated => text(
            "Жауап дайындалғаннан кейін сұрау салу өзгерді: жауапты қайта дайындаңыз.",
            "После подготовки ответа запрос изменился: подготовьте ответ заново.",
            "The request was changed since this answer was drafted: draft it again.",
        ),
        DocumentNotRendered => text(
            "Жауап немесе оның құжаты рұқсат етілгеннен үлкен.",
            "Ответ или его документ больше допустимого.",
            "The answer, or a document of it, is larger than one may be.",
        ),
        EditionNotSealed => text(
            "Шығарылым мөрленбеген.",
            "Выпуск не запечатан.",
            "The edition is not sealed.",
        ),
        EditionWithdrawn => text(
            "Шығарылым алынып тасталған.",
            "Выпуск изъят.",
            "The edition was withdrawn.",
        ),
        RestrictedInformation => text(
            "Онда таратылуы шектелген ақпарат бар, ол ашық орналастырылмайды.",
            "В нём есть информация ограниченного распространения, она открыто не размещается.",
            "It holds restricted information, which is never placed openly.",
        ),
        EditionEmbargoed => text(
            "Шығарылымға эмбарго қойылған, ол сізге әлі көрсетілмейді.",
            "На выпуск наложено эмбарго, вам он ещё не показывается.",
            "The edition is under an embargo, and is not shown to you yet.",
        ),
        UploadIncomplete => text(
            "Жүктеу аяқталғанша үзілді: сол request_id арқылы жалғастырыңыз.",
            "Загрузка прервалась до конца: продолжите с тем же request_id.",
            "The upload ended before the content did: go on with the same request_id.",
        ),
        ChannelNotOrdered => text(
            "Нысан бұл кезең үшін мұндай арнаны көздемейді.",
            "Форма не предусматривает этого канала для данного периода.",
            "The form does not name this channel for the period.",
        ),
        EtagMismatch => text(
            "Жазба осы арада өзгерді: оны қайта оқып, қайта шешіңіз.",
            "Запись за это время изменилась: прочитайте её снова и решите заново.",
            "The record was changed meanwhile: read it again, and decide again.",
        ),
        TooManyTries => text(
            "Құпия сөз тым көп рет қате енгізілді: кейінірек қайталаңыз.",
            "Секрет слишком часто вводился неверно: повторите позже.",
            "A secret was tried wrongly too often: try again later.",
        ),
        RateExceeded => text(
            "Тәуліктік шек таусылды: кейінірек қайталаңыз.",
            "Суточный предел исчерпан: повторите позже.",
            "The share of this day is used up: try again later.",
        ),
        VerbNotOrdered => text(
            "Сұрау салу түскен күні қолданыста болған ешбір қағида бұған жол бермейді.",
            "Ни одно правило, действовавшее в день поступления, не позволяет этого.",
            "No rule in force on the day of receipt lets this be done.",
        ),
        ClarificationRepeated => text(
            "Бұл туралы сұрау салушыдан бұрын сұралған.",
            "Об этом запрашивающего уже просили.",
            "The requester was asked for this already.",
        ),
        CureTermRunning => text(
            "Кемшіліктерді жою мерзімі әлі өткен жоқ.",
            "Срок для устранения недостатков ещё не истёк.",
            "The time for curing the defects has not passed.",
        ),
        CureTermPassed => text(
            "Кемшіліктерді жою мерзімі өтіп кетті.",
            "Срок для устранения недостатков истёк.",
            "The time for curing the defects has passed.",
        ),
        GroundContradicted => text(
            "Берілген мәліметтер негізге қайшы келеді.",
            "Поданные сведения противоречат основанию.",
            "What was submitted contradicts the ground.",
        ),
        DueDatePassed => text(
            "Орындау мерзімі өтіп кетті.",
            "Срок исполнения истёк.",
            "The due date has passed.",
        ),
        AlreadyExtended => text(
            "Мерзім осылай бұрын ұзартылған.",
            "Срок уже был так продлён.",
            "The due date was put off in this way before.",
        ),
        ExtensionTooLong => text(
            "Ұзарту рұқсат етілген шектен асады.",
            "Продление больше допустимого.",
            "The extension goes beyond the most that the term allows.",
        ),
        DataErased => text(
            "Бұған қажетті жеке деректер жойылған.",
            "Нужные для этого персональные данные уничтожены.",
            "The personal data that this needs were erased.",
        ),
        SignatureRequired => text(
            "Алушының қолтаңба кілті бар: растауға қол қойылуы тиіс.",
            "У получателя есть ключ подписи: подтверждение должно быть подписано.",
            "The recipient has a signing key: its receipt must be signed.",
        ),
        ReceiptNotTrue => text(
            "Растауға осы дананың алушысының кілтімен қол қойылмаған.",
            "Подтверждение не подписано ключом получателя этого экземпляра.",
            "The receipt is not signed by the recipient's key over this copy.",
        ),
        DistributionChanged => text(
            "Тарату тізімі бұрын берілген даналарға сай келмейді.",
            "Список рассылки расходится с уже выданными экземплярами.",
            "The distribution list disagrees with the copies issued already.",
        ),
        NoEndpoint => text(
            "Алушының жеткізу мекенжайы жоқ.",
            "У получателя нет адреса для доставки.",
            "The recipient has no endpoint to deliver to.",
        ),
        ReleaseEmbargoed => text(
            "Шығарылымға эмбарго қойылған: оны эмбарго аяқталғаннан кейін шығарыңыз.",
            "На выпуск наложено эмбарго: выпустите его после окончания эмбарго.",
            "The edition is under an embargo: release it after its end.",
        ),
        MarkedCopiesDiffer => text(
            "Қызмет бабында пайдалануға белгіленген даналар саны тарату тізіміне сай емес.",
            "Число экземпляров с пометкой для служебного пользования расходится со списком рассылки.",
            "The number of copies marked for official use differs from the distribution list.",
        ),
        RecipientEnded => text(
            "Тарату тізімінде қызметі тоқтаған, мирасқоры жоқ алушы бар.",
            "В списке рассылки есть прекращённый получатель без преемника.",
            "The distribution list names a recipient that has ended, without a successor.",
        ),
        SigningKeyUnknown => text(
            "Дананың қолтаңба кілті алушы серверіне әлі енгізілмеген.",
            "Ключ подписи экземпляра ещё не внесён на сервер получателя.",
            "The key that signed the copy is not entered at the recipient's server yet.",
        ),
        EditionRecalled => text(
            "Шығарылым кері шақырылған, ауыстыратын мазмұн жүктелмеген.",
            "Выпуск отозван, замена не загружена.",
            "The edition was recalled, and no replacement is uploaded.",
        ),
        RecipientNotServed => text(
            "Бұл қабылдау қызметі осы алушының даналарын әзірше қабылдамайды.",
            "Этот приёмник пока не принимает экземпляры для данного получателя.",
            "This inbox does not take copies for that recipient yet.",
        ),
    }
}
