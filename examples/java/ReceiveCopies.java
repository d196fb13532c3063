import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.protobuf.ByteString;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import com.google.protobuf.util.Timestamps;
import io.grpc.StatusRuntimeException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import legalstat.collections.v1.CollectionDistributionServiceGrpc;
import legalstat.collections.v1.CollectionDistributionServiceGrpc.CollectionDistributionServiceBlockingStub;
import legalstat.collections.v1.ConfirmReceiptRequest;
import legalstat.collections.v1.CopyView;
import legalstat.collections.v1.DownloadCopyRequest;
import legalstat.collections.v1.GetCopyRequest;
import legalstat.collections.v1.ListCopiesRequest;
import legalstat.collections.v1.ListSigningKeysRequest;
import legalstat.collections.v1.ReceiptStatement;

/**
 * Fetches every copy of a recipient that it has not confirmed, and confirms each with a signed receipt.
 *
 * <p>{@code ReceiveCopies FOLDER_OF_CERTIFICATES https://localhost:7604 RECIPIENT KEY.pem KEY_ID FOLDER_FOR_COPIES SERVICE_CONFIG.json}
 *
 * <p>The key is an Ed25519 private key (PKCS#8, PEM), whose public part an administrator has entered as KEY_ID.
 */
public final class ReceiveCopies {
  /** What a public key of 32 bytes follows where Java reads it (RFC 8410). */
  private static final byte[] ED25519 = HexFormat.of().parseHex("302a300506032b6570032100");
  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

  private final CollectionDistributionServiceBlockingStub service;
  private final String recipient;
  private final PrivateKey key;
  private final String keyId;
  private final Path folder;

  private ReceiveCopies(CollectionDistributionServiceBlockingStub service, String[] arguments) throws Exception {
    this.service = service;
    recipient = arguments[2];
    var pem = Files.readString(Path.of(arguments[3])).replaceAll("-----.*-----|\\s", "");
    key = KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
    keyId = arguments[4];
    folder = Path.of(arguments[5]);
  }

  private CollectionDistributionServiceBlockingStub within(long milliseconds) {
    return service.withDeadlineAfter(milliseconds, TimeUnit.MILLISECONDS);
  }

  /** The canonical JSON of a statement (RFC 8785): its numbers are small, so that sorting is all there is to do. */
  private static byte[] canonical(MessageOrBuilder statement) throws Exception {
    var written = GSON.fromJson(JsonFormat.printer().print(statement), JsonObject.class);
    return GSON.toJson(sorted(written)).getBytes(StandardCharsets.UTF_8);
  }

  private static JsonElement sorted(JsonElement value) {
    if (!value.isJsonObject()) return value;
    var names = new TreeMap<String, JsonElement>();
    value.getAsJsonObject().entrySet().forEach(entry -> names.put(entry.getKey(), sorted(entry.getValue())));
    var object = new JsonObject();
    names.forEach(object::add);
    return object;
  }

  private static boolean isSigned(byte[] statement, ByteString signature, byte[] publicKey) throws Exception {
    var encoded = ByteString.copyFrom(ED25519).concat(ByteString.copyFrom(publicKey)).toByteArray();
    var verifier = Signature.getInstance("Ed25519");
    verifier.initVerify(KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded)));
    verifier.update(statement);
    return verifier.verify(signature.toByteArray());
  }

  private ByteString sign(byte[] statement) throws Exception {
    var signer = Signature.getInstance("Ed25519");
    signer.initSign(key);
    signer.update(statement);
    return ByteString.copyFrom(signer.sign());
  }

  /** The content, on from the last byte that came when the line broke; the whole is verified by its digest. */
  private String download(String name, Path file) throws Exception {
    while (true) {
      var sha256 = "";
      try (var out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
        var asked = DownloadCopyRequest.newBuilder().setName(name).setOffset(Files.size(file)).build();
        var parts = within(600_000).downloadCopy(asked);
        while (parts.hasNext()) {
          var part = parts.next();
          if (part.hasContent()) sha256 = part.getContent().getSha256();
          else part.getChunk().writeTo(out);
        }
      } catch (StatusRuntimeException broken) {
        if (!Connection.nobodyKnows(broken)) throw broken;
        Thread.sleep(500);
        continue;
      }
      var digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
      if (!digest.equals(sha256)) throw new IllegalStateException("what came is not what was sent");
      return digest;
    }
  }

  private void receive(String name, Map<String, byte[]> keys) throws Exception {
    var asked = GetCopyRequest.newBuilder().setName(name).setView(CopyView.COPY_VIEW_FULL).build();
    var copy = within(Connection.TIMEOUT).getCopy(asked);
    // The service signed that it issued this copy, to this recipient, with this content.
    var statement = copy.getStatement();
    var isTrue = keys.containsKey(copy.getSigningKey())
            && isSigned(canonical(statement), copy.getSignature(), keys.get(copy.getSigningKey()));
    var digest = download(name, folder.resolve(name.replace('/', '-')));
    var isOurs = statement.getCopy().equals(name)
            && statement.getContentSha256().equals(digest)
            && statement.getRecipient().equals("recipients/" + recipient);
    if (!isTrue || !isOurs) throw new IllegalStateException(name + " is not what the service issued to " + recipient);

    var receivedAt = Timestamps.fromMillis(System.currentTimeMillis());
    var receipt =
        ReceiptStatement.newBuilder()
            .setFormat("legalstat-receipt/1")
            .setCopy(name)
            .setCopySha256(copy.getCopySha256())
            .setContentSha256(digest)
            .setRecipient(copy.getRecipient())
            .setReceivedAt(receivedAt);
    var message =
        ConfirmReceiptRequest.newBuilder()
            .setName(name)
            .setSha256(digest)
            .setReceivedAt(receivedAt)
            .setSigningKey(keyId)
            .setSignature(sign(canonical(receipt)))
            .setRequestId(UUID.randomUUID().toString())
            .build();
    var confirmed = Connection.change(1, time -> within(time).confirmReceipt(message));
    System.out.println("confirmed: " + confirmed.getName());
  }

  private void receiveAll() throws Exception {
    var keys = new HashMap<String, byte[]>();
    for (var one : within(Connection.TIMEOUT).listSigningKeys(ListSigningKeysRequest.getDefaultInstance()).getSigningKeysList()) {
      keys.put(one.getId(), one.getPublicKey().toByteArray());
    }
    var asked = ListCopiesRequest.newBuilder().setUnconfirmed(true);
    do {
      var page = within(Connection.TIMEOUT).listCopies(asked.build());
      for (var copy : page.getCopiesList()) receive(copy.getName(), keys);
      asked.setPageToken(page.getNextPageToken());
    } while (!asked.getPageToken().isEmpty());
  }

  public static void main(String[] arguments) throws Exception {
    var channel = Connection.connect(arguments[0], arguments[1], arguments[2], arguments[6]);
    new ReceiveCopies(CollectionDistributionServiceGrpc.newBlockingStub(channel), arguments).receiveAll();
    channel.shutdownNow();
  }
}
