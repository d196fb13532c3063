// Fetches every copy of a recipient that it has not confirmed, and confirms each with a signed receipt.
//
//	receive_copies FOLDER_OF_CERTIFICATES https://localhost:7604 RECIPIENT KEY.pem KEY_ID FOLDER_FOR_COPIES SERVICE_CONFIG.json
//
// The key is an Ed25519 private key (PKCS#8, PEM), whose public part an administrator has entered as KEY_ID.
package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	collections "legalstat/collections/v1"
)

// The canonical JSON of a statement (RFC 8785): its names are ASCII and its numbers are small, so that sorting is all there is to do.
func canonical(statement proto.Message) []byte {
	written, err := protojson.Marshal(statement)
	must(err)
	var read map[string]any
	must(json.Unmarshal(written, &read))
	var sorted bytes.Buffer
	encoder := json.NewEncoder(&sorted)
	encoder.SetEscapeHTML(false)
	must(encoder.Encode(read))
	return bytes.TrimRight(sorted.Bytes(), "\n")
}

// The content, on from the last byte that came when the line broke; the whole is verified by its digest.
func download(service collections.CollectionDistributionServiceClient, name, file string) (string, error) {
	out, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer out.Close()
	var sha string
	for {
		if sha, err = rest(service, name, out); err == nil {
			break
		}
		if !nobodyKnows(err) {
			return "", err
		}
		time.Sleep(500 * time.Millisecond)
	}
	whole, err := os.ReadFile(file)
	digest := sha256.Sum256(whole)
	if err == nil && hex.EncodeToString(digest[:]) != sha {
		err = errors.New("what came is not what was sent")
	}
	return sha, err
}

// What has not come yet; gives the digest of the whole.
func rest(service collections.CollectionDistributionServiceClient, name string, out *os.File) (string, error) {
	ctx, cancel := within(10 * time.Minute)
	defer cancel()
	offset, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	parts, err := service.DownloadCopy(ctx, &collections.DownloadCopyRequest{Name: name, Offset: offset})
	sha := ""
	for err == nil {
		var part *collections.DownloadCopyResponse
		if part, err = parts.Recv(); err != nil {
			break
		}
		if content := part.GetContent(); content != nil {
			sha = content.Sha256
		}
		_, err = out.Write(part.GetChunk())
	}
	if err == io.EOF {
		return sha, nil
	}
	return "", err
}

func main() {
	given := arguments("FOLDER_OF_CERTIFICATES", "URL", "RECIPIENT", "KEY.pem", "KEY_ID", "FOLDER_FOR_COPIES", "SERVICE_CONFIG.json")
	recipient, keyID, folder := given[2], given[4], given[5]
	connection := connect(given[0], given[1], recipient, given[6])
	defer connection.Close()
	service := collections.NewCollectionDistributionServiceClient(connection)
	text, err := os.ReadFile(given[3])
	must(err)
	block, _ := pem.Decode(text)
	if block == nil {
		log.Fatal("the key is no PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	must(err)
	private, isEd25519 := parsed.(ed25519.PrivateKey)
	if !isEd25519 {
		log.Fatal("the key is no Ed25519 key")
	}

	ctx, cancel := within(timeout)
	listed, err := service.ListSigningKeys(ctx, &collections.ListSigningKeysRequest{})
	cancel()
	must(err)
	keys := map[string][]byte{}
	for _, key := range listed.SigningKeys {
		keys[key.Id] = key.PublicKey
	}
	for token := ""; ; {
		ctx, cancel := within(timeout)
		page, err := service.ListCopies(ctx, &collections.ListCopiesRequest{Unconfirmed: true, PageToken: token})
		cancel()
		must(err)
		for _, copy := range page.Copies {
			receive(service, copy.Name, recipient, keyID, folder, private, keys)
		}
		if token = page.NextPageToken; token == "" {
			return
		}
	}
}

func receive(service collections.CollectionDistributionServiceClient, name, recipient, keyID, folder string, private ed25519.PrivateKey, keys map[string][]byte) {
	ctx, cancel := within(timeout)
	copy, err := service.GetCopy(ctx, &collections.GetCopyRequest{Name: name, View: collections.CopyView_COPY_VIEW_FULL})
	cancel()
	must(err)
	// The service signed that it issued this copy, to this recipient, with this content.
	key, statement := keys[copy.SigningKey], copy.Statement
	isTrue := len(key) == ed25519.PublicKeySize && ed25519.Verify(key, canonical(statement), copy.Signature)
	digest, err := download(service, name, filepath.Join(folder, strings.ReplaceAll(name, "/", "-")))
	must(err)
	isOurs := statement.GetCopy() == name && statement.GetContentSha256() == digest && statement.GetRecipient() == "recipients/"+recipient
	if !isTrue || !isOurs {
		log.Fatalf("%s is not what the service issued to %s", name, recipient)
	}

	now := timestamppb.New(time.Now().Truncate(time.Microsecond))
	receipt := &collections.ReceiptStatement{
		Format: "legalstat-receipt/1", Copy: name, CopySha256: copy.CopySha256, ContentSha256: digest, Recipient: copy.Recipient, ReceivedAt: now,
	}
	message := &collections.ConfirmReceiptRequest{
		Name: name, Sha256: digest, ReceivedAt: now, SigningKey: keyID, Signature: ed25519.Sign(private, canonical(receipt)), RequestId: newID(),
	}
	confirmed, err := change(time.Millisecond, func(ctx context.Context) (*collections.Copy, error) { return service.ConfirmReceipt(ctx, message) })
	must(err)
	fmt.Println("confirmed:", confirmed.Name)
}
