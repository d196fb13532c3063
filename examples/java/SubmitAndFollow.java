import io.grpc.StatusRuntimeException;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import legalstat.calendar.v1.RequesterKind;
import legalstat.common.v1.Date;
import legalstat.requests.v1.Channel;
import legalstat.requests.v1.Item;
import legalstat.requests.v1.ItemKind;
import legalstat.requests.v1.Language;
import legalstat.requests.v1.Request;
import legalstat.requests.v1.RequestIntakeServiceGrpc;
import legalstat.requests.v1.RequestIntakeServiceGrpc.RequestIntakeServiceBlockingStub;
import legalstat.requests.v1.Requester;
import legalstat.requests.v1.Signatory;
import legalstat.requests.v1.SignatoryCapacity;
import legalstat.requests.v1.SubmitRequestRequest;
import legalstat.requests.v1.Unit;
import legalstat.requests.v1.WatchRequestsRequest;
import legalstat.requests.v1.WatchRequestsResponse;

/**
 * Submits a request as a document system and follows it until it is answered or refused.
 *
 * <p>{@code SubmitAndFollow FOLDER_OF_CERTIFICATES https://localhost:7603 EXTERNAL_NUMBER SERVICE_CONFIG.json}
 */
public final class SubmitAndFollow {
  private static final Set<String> ENDS =
      Set.of("answered", "withdrawn", "left_without_consideration", "returned", "forwarded", "terminated");

  /** Submits one request under one id. */
  private static Request submit(RequestIntakeServiceBlockingStub service, Request request, long first) throws InterruptedException {
    var message = SubmitRequestRequest.newBuilder().setRequestId(UUID.randomUUID().toString()).setRequest(request).build();
    return Connection.change(first, time -> service.withDeadlineAfter(time, TimeUnit.MILLISECONDS).submitRequest(message));
  }

  private static boolean isEnd(WatchRequestsResponse message, String name) {
    var happened = message.getRequestEvent();
    if (!happened.getRequest().equals(name)) return false; // a heartbeat, or another request
    var state = happened.getState().name().replace("REQUEST_STATE_", "").toLowerCase();
    var told = new StringBuilder("told: " + message.getEvent().getKind() + " " + state);
    for (var notice : happened.getNoticesList()) told.append(' ').append(notice.name().replace("NOTICE_", "").toLowerCase());
    System.out.println(told);
    return ENDS.contains(state);
  }

  public static void main(String[] arguments) throws Exception {
    var channel = Connection.connect(arguments[0], arguments[1], "edms", arguments[3]);
    var service = RequestIntakeServiceGrpc.newBlockingStub(channel);
    var item = Item.newBuilder().setKind(ItemKind.ITEM_KIND_STATISTICS).setDescription("Registered crimes").setUnit(Unit.UNIT_CRIME);
    var request =
        Request.newBuilder()
            .setRequester(Requester.newBuilder().setKind(RequesterKind.REQUESTER_KIND_STATE_BODY).setFullName("Әділет министрлігі"))
            .setSignatory(Signatory.newBuilder().setFullName("Т. Әлиев").setCapacity(SignatoryCapacity.SIGNATORY_CAPACITY_HEAD))
            .setChannel(Channel.CHANNEL_UNIFIED_EDMS)
            .setExternalNumber(arguments[2])
            .setExternalDate(Date.newBuilder().setYear(2026).setMonth(2).setDay(2))
            .setEssence("Crimes registered in the fourth quarter of 2025")
            .setLanguage(Language.LANGUAGE_RU)
            .addItems(item.setPeriod("2025-Q4"))
            .build();

    // A request that breaks rules is refused with all of them, and nothing of it is stored.
    try {
      submit(service, request.toBuilder().clearEssence().setItems(0, item.setPeriod("2025-Q5")).build(), Connection.TIMEOUT);
      throw new IllegalStateException("a wrong request was taken");
    } catch (StatusRuntimeException refused) {
      Connection.tell(refused);
    }

    // Where the feed stands before the request is sent: its first heartbeat says it.
    var start = service.watchRequests(WatchRequestsRequest.newBuilder().setOnlyNew(true).build()).next().getResumeToken();
    // The first call is cut after a millisecond, so that nobody knows whether it was carried out. The next one has the same id.
    var accepted = submit(service, request, 1);
    System.out.println("accepted: " + accepted.getName() + " " + accepted.getCoupon().getNumber() + " " + accepted.getRegistrationNumber());
    Connection.follow(
        start,
        token -> service.watchRequests(WatchRequestsRequest.newBuilder().setResumeToken(token).build()),
        message -> isEnd(message, accepted.getName()),
        WatchRequestsResponse::getResumeToken,
        token -> {});
    channel.shutdownNow();
  }
}
