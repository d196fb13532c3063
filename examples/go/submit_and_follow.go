// Submits a request as a document system and follows it until it is answered or refused.
//
//	submit_and_follow FOLDER_OF_CERTIFICATES https://localhost:7603 EXTERNAL_NUMBER SERVICE_CONFIG.json
package main

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	calendar "legalstat/calendar/v1"
	common "legalstat/common/v1"
	requests "legalstat/requests/v1"
)

// Submits one request under one id.
func submit(service requests.RequestIntakeServiceClient, request *requests.Request, first time.Duration) (*requests.Request, error) {
	message := &requests.SubmitRequestRequest{RequestId: newID(), Request: request}
	return change(first, func(ctx context.Context) (*requests.Request, error) { return service.SubmitRequest(ctx, message) })
}

func main() {
	given := arguments("FOLDER_OF_CERTIFICATES", "URL", "EXTERNAL_NUMBER", "SERVICE_CONFIG.json")
	connection := connect(given[0], given[1], "edms", given[3])
	defer connection.Close()
	service := requests.NewRequestIntakeServiceClient(connection)
	request := &requests.Request{
		Requester:      &requests.Requester{Kind: calendar.RequesterKind_REQUESTER_KIND_STATE_BODY, FullName: "Әділет министрлігі"},
		Signatory:      &requests.Signatory{FullName: "Т. Әлиев", Capacity: requests.SignatoryCapacity_SIGNATORY_CAPACITY_HEAD},
		Channel:        requests.Channel_CHANNEL_UNIFIED_EDMS,
		ExternalNumber: given[2],
		ExternalDate:   &common.Date{Year: 2026, Month: 2, Day: 2},
		Essence:        "Crimes registered in the fourth quarter of 2025",
		Language:       requests.Language_LANGUAGE_RU,
		Items: []*requests.Item{{
			Kind: requests.ItemKind_ITEM_KIND_STATISTICS, Description: "Registered crimes", Unit: requests.Unit_UNIT_CRIME, Period: "2025-Q4",
		}},
	}

	// A request that breaks rules is refused with all of them, and nothing of it is stored.
	wrong := proto.Clone(request).(*requests.Request)
	wrong.Essence, wrong.Items[0].Period = "", "2025-Q5"
	if _, err := submit(service, wrong, timeout); err != nil {
		tellRefusal(err)
	} else {
		log.Fatal("a wrong request was taken")
	}

	// Where the feed stands before the request is sent: its first heartbeat says it.
	watching, cancel := context.WithCancel(context.Background())
	line, err := service.WatchRequests(watching, &requests.WatchRequestsRequest{OnlyNew: true})
	must(err)
	start, err := line.Recv()
	must(err)
	cancel()
	// The first call is cut after a millisecond, so that nobody knows whether it was carried out. The next one has the same id.
	accepted, err := submit(service, request, time.Millisecond)
	must(err)
	fmt.Println("accepted:", accepted.Name, accepted.Coupon.Number, accepted.RegistrationNumber)

	watch := func(token string) (interface {
		Recv() (*requests.WatchRequestsResponse, error)
	}, error) {
		return service.WatchRequests(context.Background(), &requests.WatchRequestsRequest{ResumeToken: token})
	}
	told := func(message *requests.WatchRequestsResponse) error {
		happened := message.RequestEvent
		if happened.GetRequest() != accepted.Name {
			return nil // a heartbeat, or another request
		}
		state := strings.ToLower(strings.TrimPrefix(happened.State.String(), "REQUEST_STATE_"))
		words := []string{message.Event.Kind, state}
		for _, notice := range happened.Notices {
			words = append(words, strings.ToLower(strings.TrimPrefix(notice.String(), "NOTICE_")))
		}
		fmt.Println("told:", strings.Join(words, " "))
		switch state {
		case "answered", "withdrawn", "left_without_consideration", "returned", "forwarded", "terminated":
			return enough
		}
		return nil
	}
	must(follow(start.ResumeToken, watch, told, func(string) {}))
}
