//! Every reason of a violation, and its texts.

use legalstat_proto::common::v1::FieldReason::{self, *};

use super::{Text, text};

/// What the reason is called.
pub fn field(reason: FieldReason) -> Text {
    match reason {
        // Never sent.
        Unspecified => text("", "", ""),
        Required => text(
            "Өріс толтырылуы тиіс.",
            "Поле должно быть заполнено.",
            "The field must be given.",
        ),
        Enum => text(
            "Мұндай мән қабылданбайды.",
            "Такое значение не принимается.",
            "There is no such value here.",
        ),
        ResourceName => text(
            "Бұл осындай жазбаның атауы емес.",
            "Это не имя записи такого вида.",
            "This is not the name of a record of this kind.",
        ),
        OutOfRange => text(
            "Мән рұқсат етілген шектен тыс.",
            "Значение вне допустимых пределов.",
            "The value lies outside its bounds.",
        ),
        Range => text(
            "Соңы басынан бұрын немесе одан тым алыс.",
            "Конец раньше начала или слишком далеко от него.",
            "The end lies before its beginning, or too far after it.",
        ),
        TooLong => text("Мәтін тым ұзын.", "Текст слишком длинный.", "The text is too long."),
        TooMany => text(
            "Элементтер тым көп.",
            "Слишком много элементов.",
            "There are too many elements.",
        ),
        InvalidCharacter => text(
            "Мәтінде рұқсат етілмеген таңба бар.",
            "В тексте есть недопустимый символ.",
            "The text holds a character that is not taken.",
        ),
        RequestId => text(
            "Бұл шақырушы таңдаған UUID емес (нөлдік UUID қабылданбайды).",
            "Это не UUID, выбранный вызывающим (нулевой UUID не принимается).",
            "This is not a UUID that the caller chose (the nil UUID is none).",
        ),
        Sha256 => text(
            "Бұл SHA-256 сомасы емес.",
            "Это не сумма SHA-256.",
            "This is not a SHA-256 digest.",
        ),
        Date => text("Мұндай күн жоқ.", "Такой даты нет.", "There is no such day."),
        Timestamp => text(
            "Мұндай уақыт жоқ.",
            "Такого момента времени нет.",
            "There is no such instant.",
        ),
        Period => text(
            "Бұл есепті кезеңнің коды емес.",
            "Это не код отчётного периода.",
            "This is not the code of a reporting period.",
        ),
        PeriodKind => text(
            "Мұндай түрдегі кезеңдер үшін жасалмайды.",
            "За периоды такого вида не составляется.",
            "It is not made for periods of this kind.",
        ),
        Conflict => text(
            "Өрісті басқа өріспен бірге беруге болмайды.",
            "Поле нельзя указать вместе с другим.",
            "The field cannot be given together with another one.",
        ),
        SetByService => text(
            "Бұл өрісті қызмет толтырады: ол бос болуы тиіс.",
            "Это поле заполняет служба: оно должно быть пустым.",
            "The service sets this field: it must be empty.",
        ),
        Uri => text(
            "Бұл осы өріс қабылдайтын https:// мекенжайы емес.",
            "Это не адрес https://, который принимает это поле.",
            "This is not an https:// address that the field takes.",
        ),
        Key => text(
            "Бұл осындай түрдегі кілт немесе код емес.",
            "Это не ключ и не код такого вида.",
            "This is not a key or a code of this kind.",
        ),
        Unknown => text(
            "Өріс белгісіз жазбаға сілтейді.",
            "Поле ссылается на неизвестную запись.",
            "The field refers to something that is not known.",
        ),
        Token => text(
            "Бұл осы әдіс берген белгі емес.",
            "Это не метка, выданная этим методом.",
            "This is not a token that this method gave.",
        ),
        Contradiction => text(
            "Бұл бөлік басқа бөлікке немесе бұрын жазылғанға қайшы келеді.",
            "Эта часть противоречит другой части или уже записанному.",
            "This part contradicts another part, or what is recorded already.",
        ),
        Folder => text(
            "Файл атауында қалта болмауы тиіс.",
            "В имени файла не должно быть папки.",
            "The name of a file holds a folder.",
        ),
        MediaType => text(
            "Бұл медиа түрі емес.",
            "Это не тип содержимого.",
            "This is not a media type.",
        ),
        Repeated => text(
            "Тақырып бір рет, басында келеді.",
            "Заголовок бывает один, в начале.",
            "The header comes once, first.",
        ),
        Unreadable => text(
            "Жіберілген мазмұнды оқу мүмкін емес.",
            "Присланное содержимое не удаётся прочитать.",
            "What was sent here cannot be read.",
        ),
        Size => text(
            "Бөлік бос, тым үлкен немесе жарияланғаннан көп.",
            "Часть пуста, слишком велика или больше объявленного.",
            "The part is empty, too large, or more than was announced.",
        ),
        NotOfKind => text(
            "Мұндай сұрау салушыда өріс бос болуы тиіс.",
            "У запрашивающего такого вида поле должно быть пустым.",
            "The field must be empty for a requester of this kind.",
        ),
        Bin => text("Бұл БСН емес.", "Это не БИН.", "This is not a BIN."),
        Iin => text("Бұл ЖСН емес.", "Это не ИИН.", "This is not an IIN."),
        WithoutPeriod => text(
            "Соңғы кезең біріншісінсіз берілген.",
            "Последний период указан без первого.",
            "The last period is given without the first.",
        ),
        OtherKind => text(
            "Соңғы кезеңнің түрі біріншісінен өзге.",
            "Последний период другого вида, чем первый.",
            "The last period is of another kind than the first.",
        ),
        BeforePeriod => text(
            "Соңғы кезең біріншісінен бұрын.",
            "Последний период раньше первого.",
            "The last period comes before the first.",
        ),
        InFuture => text(
            "Бұл уақыт әлі келген жоқ.",
            "Это время ещё не наступило.",
            "The instant has not come yet.",
        ),
        BeforeRules => text(
            "Бұл уақыт қағидалар белгілі болған күннен бұрын.",
            "Это время раньше дня, с которого известны правила.",
            "The instant lies before the day from which the rules are known.",
        ),
        More => text(
            "Жауапқа сыймаған басқа қателер де бар.",
            "Есть и другие нарушения, не вошедшие в ответ.",
            "There are more violations than the answer can carry.",
        ),
        Direction => text(
            "Мәтінде жазу бағытын өзгертетін таңба бар.",
            "В тексте есть символ, меняющий направление письма.",
            "The text holds a character that turns the direction of writing.",
        ),
        Content => text(
            "Мазмұн файлдың атауына немесе түріне сай емес.",
            "Содержимое не соответствует имени или типу файла.",
            "The content is not what the name of the file or its type says.",
        ),
        Archive => text(
            "Мұрағат тым үлкен немесе бүлінген.",
            "Архив слишком велик или повреждён.",
            "The archive is too large, or damaged.",
        ),
        Formula => text(
            "Кітапта формула, макрос немесе сыртқы сілтеме бар.",
            "В книге есть формулы, макросы или внешние ссылки.",
            "The workbook has formulas, macros or links to other files.",
        ),
        Language => text(
            "Бұл тіл коды емес немесе мұндай тіл жоқ.",
            "Это не код языка, или такого языка нет.",
            "This is not the code of a language, or of none that is there.",
        ),
        Decimal => text(
            "Бұл ондық сан емес.",
            "Это не десятичное число.",
            "This is not a decimal number as the contract writes it.",
        ),
        Duplicate => text("Мән қайталанған.", "Значение повторяется.", "The value is given twice."),
        Total => text(
            "Жиынтық бөліктердің қосындысына тең емес.",
            "Итог не равен сумме частей.",
            "The total is not the sum of its parts.",
        ),
        Status => text(
            "Байқау мәртебесі мен мәні үйлеспейді.",
            "Статус наблюдения и значение не согласуются.",
            "The observation status and the value do not fit.",
        ),
        Territory => text("Бұл КАТО коды емес.", "Это не код КАТО.", "This is not a KATO code."),
        Signature => text(
            "Қолтаңба жарамсыз.",
            "Подпись недействительна.",
            "The signature does not hold.",
        ),
    }
}
