// Submits a request as a document system and follows it until it is answered or refused.
//
//	submit_and_follow FOLDER_OF_CERTIFICATES https://localhost:7603 EXTERNAL_NUMBER SERVICE_CONFIG.json
package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	calendar "legalstat/calendar/v1"
	common "legalstat/common/v1"
	requests "legalstat/requests/v1"
)

const timeout = 30 * time.Second

// A connection, as who the certificate names. One serves all calls to a service.
func connect(certificates, url, caller, config string) (*grpc.ClientConn, error) {
	file := func(name string) string { return filepath.Join(certificates, name) }
	identity, err := tls.LoadX509KeyPair(file(caller+".pem"), file(caller+".key"))
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(file("ca.pem"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	text, err := os.ReadFile(config)
	if err != nil {
		return nil, err
	}
	secured := credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{identity}, RootCAs: roots})
	return grpc.Dial(strings.TrimPrefix(url, "https://"), grpc.WithTransportCredentials(secured), grpc.WithDefaultServiceConfig(string(text)))
}

// A UUID of version 4.
func newID() string {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		log.Fatal(err)
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// Whether it is unknown if a call was carried out: then the same message is sent again.
func nobodyKnows(err error) bool {
	switch status.Code(err) {
	case codes.DeadlineExceeded, codes.Canceled, codes.Unknown, codes.Unavailable:
		return true
	}
	return false
}

// Submits one request, once, whatever becomes of the calls. A real program keeps the message with its request_id on its disk before it
// sends it, so that it can go on after a crash too.
func submit(service requests.RequestIntakeServiceClient, request *requests.Request, first time.Duration) (*requests.Request, error) {
	message := &requests.SubmitRequestRequest{RequestId: newID(), Request: request}
	patience := first
	var err error
	for i := 0; i < 10; i++ {
		// The language of the person to whom a refusal is shown.
		ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(context.Background(), "accept-language", "ru"), patience)
		var accepted *requests.Request
		accepted, err = service.SubmitRequest(ctx, message)
		cancel()
		if err == nil || !nobodyKnows(err) {
			return accepted, err
		}
		time.Sleep(500 * time.Millisecond)
		patience = timeout
	}
	return nil, err
}

// Tells a refusal to a person: what, in the language asked for too, by which law, and every field at fault.
func tellRefusal(err error) {
	refused := status.Convert(err)
	fmt.Println("refused:", refused.Message())
	for _, detail := range refused.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			fmt.Println(" ", detail.Reason, detail.Metadata)
		case *errdetails.LocalizedMessage:
			fmt.Printf("  %s: %s\n", detail.Locale, detail.Message)
		case *errdetails.BadRequest:
			for _, one := range detail.FieldViolations {
				fmt.Printf("  %s: %s\n", one.Field, one.Description)
			}
		}
	}
}

// Follows a feed over as many lines as it takes, from a token on, until `told` says that it is enough. A line that ends, however it ends,
// is opened again from the last token.
func follow(service requests.RequestIntakeServiceClient, asked *requests.WatchRequestsRequest, told func(*requests.WatchRequestsResponse) bool) error {
	for {
		line, err := service.WatchRequests(context.Background(), asked)
		for err == nil {
			var message *requests.WatchRequestsResponse
			if message, err = line.Recv(); err == nil {
				if told(message) {
					return nil
				}
				if message.ResumeToken != "" {
					asked = &requests.WatchRequestsRequest{ResumeToken: message.ResumeToken}
				}
			}
		}
		// io.EOF is no status, and its code is UNKNOWN.
		if !nobodyKnows(err) && status.Code(err) != codes.ResourceExhausted {
			return err
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 5 {
		log.Fatal("FOLDER_OF_CERTIFICATES URL EXTERNAL_NUMBER SERVICE_CONFIG.json")
	}
	connection, err := connect(os.Args[1], os.Args[2], "edms", os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	service := requests.NewRequestIntakeServiceClient(connection)
	request := &requests.Request{
		Requester:      &requests.Requester{Kind: calendar.RequesterKind_REQUESTER_KIND_STATE_BODY, FullName: "Әділет министрлігі"},
		Signatory:      &requests.Signatory{FullName: "Т. Әлиев", Capacity: requests.SignatoryCapacity_SIGNATORY_CAPACITY_HEAD},
		Channel:        requests.Channel_CHANNEL_UNIFIED_EDMS,
		ExternalNumber: os.Args[3],
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
	start := ""
	err = follow(service, &requests.WatchRequestsRequest{OnlyNew: true}, func(message *requests.WatchRequestsResponse) bool {
		start = message.ResumeToken
		return true
	})
	if err != nil {
		log.Fatal(err)
	}
	// The first call is cut after a millisecond, so that nobody knows whether it was carried out. The next one has the same id.
	accepted, err := submit(service, request, time.Millisecond)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("accepted:", accepted.Name, accepted.Coupon.Number, accepted.RegistrationNumber)

	err = follow(service, &requests.WatchRequestsRequest{ResumeToken: start}, func(message *requests.WatchRequestsResponse) bool {
		happened := message.RequestEvent
		if happened.GetRequest() != accepted.Name {
			return false // a heartbeat, or another request
		}
		state := strings.ToLower(strings.TrimPrefix(happened.State.String(), "REQUEST_STATE_"))
		told := []string{message.Event.Kind, state}
		for _, notice := range happened.Notices {
			told = append(told, strings.ToLower(strings.TrimPrefix(notice.String(), "NOTICE_")))
		}
		fmt.Println("told:", strings.Join(told, " "))
		switch state {
		case "answered", "withdrawn", "left_without_consideration", "returned", "forwarded", "terminated":
			return true
		}
		return false
	})
	if err != nil {
		log.Fatal(err)
	}
}
