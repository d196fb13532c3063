import com.google.gson.Gson;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.LocalizedMessage;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.io.File;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
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
  private static final long TIMEOUT = 30_000; // milliseconds
  private static final Metadata.Key<String> LANGUAGE =
      Metadata.Key.of("accept-language", Metadata.ASCII_STRING_MARSHALLER);
  private static final Set<Status.Code> NOBODY_KNOWS =
      EnumSet.of(Status.Code.DEADLINE_EXCEEDED, Status.Code.CANCELLED, Status.Code.UNKNOWN, Status.Code.UNAVAILABLE);
  private static final Set<String> ENDS =
      Set.of("answered", "withdrawn", "left_without_consideration", "returned", "forwarded", "terminated");

  /** A channel, as who the certificate names. One serves all calls to a service. */
  private static ManagedChannel connect(String certificates, String url, String caller, String config) throws Exception {
    File key = new File(certificates, caller + ".key");
    var secured = GrpcSslContexts.forClient().trustManager(new File(certificates, "ca.pem"));
    var address = URI.create(url);
    return NettyChannelBuilder.forAddress(address.getHost(), address.getPort())
        .sslContext(secured.keyManager(new File(certificates, caller + ".pem"), key).build())
        .defaultServiceConfig(new Gson().fromJson(Files.readString(Path.of(config)), Map.class))
        .enableRetry()
        .build();
  }

  /**
   * Submits one request, once, whatever becomes of the calls. A real program keeps the message with its request_id on its disk before
   * it sends it, so that it can go on after a crash too.
   */
  private static Request submit(RequestIntakeServiceBlockingStub service, Request request, long first) throws Exception {
    var message = SubmitRequestRequest.newBuilder().setRequestId(UUID.randomUUID().toString()).setRequest(request).build();
    StatusRuntimeException last = null;
    for (int attempt = 0; attempt < 10; attempt++) {
      try {
        return service.withDeadlineAfter(attempt == 0 ? first : TIMEOUT, TimeUnit.MILLISECONDS).submitRequest(message);
      } catch (StatusRuntimeException failed) {
        if (!NOBODY_KNOWS.contains(failed.getStatus().getCode())) throw failed;
        last = failed;
        Thread.sleep(500);
      }
    }
    throw last;
  }

  /** Tells a refusal to a person: what, in the language asked for too, by which law, and every field at fault. */
  private static void tell(StatusRuntimeException refused) throws InvalidProtocolBufferException {
    System.out.println("refused: " + refused.getStatus().getDescription());
    for (Any detail : StatusProto.fromThrowable(refused).getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        var info = detail.unpack(ErrorInfo.class);
        System.out.println("  " + info.getReason() + " " + info.getMetadataMap());
      } else if (detail.is(LocalizedMessage.class)) {
        var told = detail.unpack(LocalizedMessage.class);
        System.out.println("  " + told.getLocale() + ": " + told.getMessage());
      } else if (detail.is(BadRequest.class)) {
        for (var one : detail.unpack(BadRequest.class).getFieldViolationsList()) {
          System.out.println("  " + one.getField() + ": " + one.getReason() + ": " + one.getDescription());
          System.out.println("    " + one.getLocalizedMessage().getMessage());
        }
      }
    }
  }

  /**
   * Follows a feed over as many lines as it takes, until it is enough. A line that ends, however it ends, is opened again from the last
   * token.
   */
  private static void follow(
      RequestIntakeServiceBlockingStub service, WatchRequestsRequest asked, Predicate<WatchRequestsResponse> enough)
      throws Exception {
    while (true) {
      try {
        Iterator<WatchRequestsResponse> line = service.watchRequests(asked);
        while (line.hasNext()) {
          var message = line.next();
          if (enough.test(message)) return;
          if (!message.getResumeToken().isEmpty()) {
            asked = WatchRequestsRequest.newBuilder().setResumeToken(message.getResumeToken()).build();
          }
        }
      } catch (StatusRuntimeException ended) {
        var code = ended.getStatus().getCode();
        if (!NOBODY_KNOWS.contains(code) && code != Status.Code.RESOURCE_EXHAUSTED) throw ended;
      }
      Thread.sleep(500);
    }
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
    var channel = connect(arguments[0], arguments[1], "edms", arguments[3]);
    var language = new Metadata();
    language.put(LANGUAGE, "ru"); // of the person to whom a refusal is shown
    var service =
        RequestIntakeServiceGrpc.newBlockingStub(channel).withInterceptors(MetadataUtils.newAttachHeadersInterceptor(language));
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
      submit(service, request.toBuilder().clearEssence().setItems(0, item.setPeriod("2025-Q5")).build(), TIMEOUT);
      throw new IllegalStateException("a wrong request was taken");
    } catch (StatusRuntimeException refused) {
      tell(refused);
    }

    // Where the feed stands before the request is sent: its first heartbeat says it.
    var start = WatchRequestsRequest.newBuilder();
    follow(service, WatchRequestsRequest.newBuilder().setOnlyNew(true).build(), message -> {
      start.setResumeToken(message.getResumeToken());
      return true;
    });
    // The first call is cut after a millisecond, so that nobody knows whether it was carried out. The next one has the same id.
    var accepted = submit(service, request, 1);
    System.out.println("accepted: " + accepted.getName() + " " + accepted.getCoupon().getNumber() + " " + accepted.getRegistrationNumber());
    follow(service, start.build(), message -> isEnd(message, accepted.getName()));
    channel.shutdownNow();
  }
}
