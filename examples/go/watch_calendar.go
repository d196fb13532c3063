// Tells every change of the working calendar once, also over restarts of this program and of the service.
//
//	watch_calendar FOLDER_OF_CERTIFICATES https://localhost:7601 FILE_FOR_THE_TOKEN SERVICE_CONFIG.json
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	calendar "legalstat/calendar/v1"
)

func main() {
	given := arguments("FOLDER_OF_CERTIFICATES", "URL", "FILE_FOR_THE_TOKEN", "SERVICE_CONFIG.json")
	connection := connect(given[0], given[1], "edms", given[3])
	defer connection.Close()
	service := calendar.NewCalendarServiceClient(connection)
	file := given[2]
	token, err := os.ReadFile(file)
	if !errors.Is(err, fs.ErrNotExist) {
		must(err)
	}

	watch := func(token string) (interface {
		Recv() (*calendar.CalendarChange, error)
	}, error) {
		return service.WatchCalendar(context.Background(), &calendar.WatchCalendarRequest{Heartbeats: true, ResumeToken: token})
	}
	told := func(change *calendar.CalendarChange) error {
		if effect := change.Effect; effect != nil {
			kind := strings.ToLower(strings.TrimPrefix(change.Kind.String(), "CALENDAR_CHANGE_KIND_"))
			fmt.Println("told:", kind, effect.GetCalendarAct().GetName(), len(effect.ChangedDays), "days")
		} else if change.CaughtUp {
			fmt.Println("caught up")
		}
		return nil
	}
	// Wholly or not at all. A real program keeps the token in the transaction in which it keeps what it was told.
	keep := func(token string) {
		must(os.WriteFile(file+".new", []byte(token), 0o600))
		must(os.Rename(file+".new", file))
	}
	must(follow(string(token), watch, told, keep))
}
