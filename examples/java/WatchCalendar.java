import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import legalstat.calendar.v1.CalendarChange;
import legalstat.calendar.v1.CalendarServiceGrpc;
import legalstat.calendar.v1.WatchCalendarRequest;

/**
 * Tells every change of the working calendar once, also over restarts of this program and of the service.
 *
 * <p>{@code WatchCalendar FOLDER_OF_CERTIFICATES https://localhost:7601 FILE_FOR_THE_TOKEN SERVICE_CONFIG.json}
 */
public final class WatchCalendar {
  private static void tell(CalendarChange change) {
    if (change.hasEffect()) {
      var effect = change.getEffect();
      var kind = change.getKind().name().replace("CALENDAR_CHANGE_KIND_", "").toLowerCase();
      System.out.println("told: " + kind + " " + effect.getCalendarAct().getName() + " " + effect.getChangedDaysCount() + " days");
    } else if (change.getCaughtUp()) {
      System.out.println("caught up");
    }
  }

  /** Wholly or not at all. A real program keeps the token in the transaction in which it keeps what it was told. */
  private static void keep(Path file, String token) {
    try {
      var whole = Files.writeString(Path.of(file + ".new"), token);
      Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  public static void main(String[] arguments) throws Exception {
    var service = CalendarServiceGrpc.newBlockingStub(Connection.connect(arguments[0], arguments[1], "edms", arguments[3]));
    var file = Path.of(arguments[2]);
    Connection.follow(
        Files.exists(file) ? Files.readString(file) : "",
        token -> service.watchCalendar(WatchCalendarRequest.newBuilder().setHeartbeats(true).setResumeToken(token).build()),
        change -> {
          tell(change);
          return false;
        },
        CalendarChange::getResumeToken,
        token -> keep(file, token));
  }
}
