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
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.function.Predicate;

/** What every program that calls legalstat needs once: a channel, a call that may be repeated, a feed, and a refusal told to a person. */
final class Connection {
  static final long TIMEOUT = 30_000; // milliseconds
  private static final Set<Status.Code> NOBODY_KNOWS =
      EnumSet.of(Status.Code.DEADLINE_EXCEEDED, Status.Code.CANCELLED, Status.Code.UNKNOWN, Status.Code.UNAVAILABLE);

  /** A channel, as who the certificate names, whose refusals are told in Russian too. One serves all calls to a service. */
  static ManagedChannel connect(String certificates, String url, String caller, String config) throws Exception {
    var language = new Metadata();
    language.put(Metadata.Key.of("accept-language", Metadata.ASCII_STRING_MARSHALLER), "ru");
    File key = new File(certificates, caller + ".key");
    var secured = GrpcSslContexts.forClient().trustManager(new File(certificates, "ca.pem"));
    var address = URI.create(url);
    return NettyChannelBuilder.forAddress(address.getHost(), address.getPort())
        .sslContext(secured.keyManager(new File(certificates, caller + ".pem"), key).build())
        .defaultServiceConfig(new Gson().fromJson(Files.readString(Path.of(config)), Map.class))
        .enableRetry()
        .intercept(MetadataUtils.newAttachHeadersInterceptor(language))
        .build();
  }

  /** Whether it is unknown if a call was carried out: then the same message is sent again. */
  static boolean nobodyKnows(StatusRuntimeException failed) {
    return NOBODY_KNOWS.contains(failed.getStatus().getCode());
  }

  /**
   * Carries out one change, once, whatever becomes of the calls: {@code send} sends the same message each time, within so many
   * milliseconds. A real program keeps the message with its request_id on its disk before it sends it, so that it can go on after a crash
   * too.
   */
  static <A> A change(long first, LongFunction<A> send) throws InterruptedException {
    for (int attempt = 0; ; attempt++) {
      try {
        return send.apply(attempt == 0 ? first : TIMEOUT);
      } catch (StatusRuntimeException failed) {
        if (!nobodyKnows(failed) || attempt == 9) throw failed;
        Thread.sleep(500);
      }
    }
  }

  /** Tells a refusal to a person: what, in the language asked for too, by which law, and every field at fault. */
  static void tell(StatusRuntimeException refused) throws InvalidProtocolBufferException {
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
   * Follows a feed over as many lines as it takes, until it is enough; {@code keep} gets the token of each message once it was told. A line
   * that ends, however it ends, is opened again from the last token.
   */
  static <M> void follow(
      String token, Function<String, Iterator<M>> watch, Predicate<M> enough, Function<M, String> tokenOf, Consumer<String> keep)
      throws InterruptedException {
    while (true) {
      try {
        var line = watch.apply(token);
        while (line.hasNext()) {
          var message = line.next();
          if (enough.test(message)) return;
          if (!tokenOf.apply(message).isEmpty()) token = tokenOf.apply(message);
          keep.accept(token);
        }
      } catch (StatusRuntimeException ended) {
        if (!nobodyKnows(ended) && ended.getStatus().getCode() != Status.Code.RESOURCE_EXHAUSTED) throw ended;
      }
      Thread.sleep(500);
    }
  }

  private Connection() {}
}
