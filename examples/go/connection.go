// What every program that calls legalstat needs once: a connection, a call that may be repeated, a feed, and a refusal told to a person.
package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
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
)

const timeout = 30 * time.Second

// The arguments of the program, which are as many as it names.
func arguments(names ...string) []string {
	log.SetFlags(0)
	if len(os.Args) != len(names)+1 {
		log.Fatal(strings.Join(names, " "))
	}
	return os.Args[1:]
}

// Ends the program on an error.
func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A connection, as who the certificate names. One serves all calls to a service.
func connect(certificates, url, caller, config string) *grpc.ClientConn {
	file := func(name string) string { return filepath.Join(certificates, name) }
	identity, err := tls.LoadX509KeyPair(file(caller+".pem"), file(caller+".key"))
	must(err)
	authority, err := os.ReadFile(file("ca.pem"))
	must(err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		log.Fatal("ca.pem holds no certificate")
	}
	text, err := os.ReadFile(config)
	must(err)
	secured := credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{identity}, RootCAs: roots})
	connection, err := grpc.Dial(strings.TrimPrefix(url, "https://"), grpc.WithTransportCredentials(secured), grpc.WithDefaultServiceConfig(string(text)))
	must(err)
	return connection
}

// A UUID of version 4.
func newID() string {
	id := make([]byte, 16)
	_, err := rand.Read(id)
	must(err)
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

// What a call is made with: so much time, and the language of the person to whom a refusal is shown.
func within(patience time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(metadata.AppendToOutgoingContext(context.Background(), "accept-language", "ru"), patience)
}

// Carries out one change, once, whatever becomes of the calls: `send` sends the same message each time. A real program keeps the message
// with its request_id on its disk before it sends it, so that it can go on after a crash too.
func change[A any](first time.Duration, send func(context.Context) (A, error)) (A, error) {
	patience := first
	for i := 0; ; i++ {
		ctx, cancel := within(patience)
		answer, err := send(ctx)
		cancel()
		if err == nil || !nobodyKnows(err) || i == 9 {
			return answer, err
		}
		time.Sleep(500 * time.Millisecond)
		patience = timeout
	}
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

var enough = errors.New("enough was told")

// Follows a feed over as many lines as it takes, until `told` says that it is enough; `keep` gets the token of each message once it was
// told. `watch` opens a line: one that ends, however it ends, is opened again from the last token.
func follow[M interface{ GetResumeToken() string }](token string, watch func(token string) (interface{ Recv() (M, error) }, error), told func(M) error, keep func(token string)) error {
	for {
		line, err := watch(token)
		for err == nil {
			var message M
			if message, err = line.Recv(); err != nil {
				break
			}
			if err := told(message); err == enough {
				return nil
			} else if err != nil {
				return err
			}
			if next := message.GetResumeToken(); next != "" {
				token = next
			}
			keep(token)
		}
		// io.EOF is no status, and its code is UNKNOWN.
		if !nobodyKnows(err) && status.Code(err) != codes.ResourceExhausted {
			return err
		}
		time.Sleep(500 * time.Millisecond)
	}
}
