// Command go walks through the api with the generated Go client: it registers
// athletes, finds them again, and shows what failures look like.
//
//	API_GRPC=127.0.0.1:9233 API_TOKEN=... go run .
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	athletesv1 "stravasync.example/client/stravasync/athletes/v1"
)

// report is what the tests read.
type report struct {
	Registered []string `json:"registered"`
	Found      string   `json:"found"`
	Listed     []string `json:"listed"`
	Taken      string   `json:"taken"`
	Invalid    string   `json:"invalid"`
	Violations []string `json:"violations"`
	Anonymous  string   `json:"anonymous"`
	Late       string   `json:"late"`
	WaitedMs   int64    `json:"waitedMs"`
}

func main() {
	connection, err := grpc.NewClient(
		os.Getenv("API_GRPC"),
		// Behind TLS: credentials.NewTLS, and oauth.TokenSource for the token.
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	result, err := walk(ctx, athletesv1.NewAthletesServiceClient(connection))
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}

func walk(ctx context.Context, client athletesv1.AthletesServiceClient) (*report, error) {
	result := &report{}
	operator := metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+os.Getenv("API_TOKEN"))

	for number := range 5 {
		response, err := client.RegisterAthlete(ctx, &athletesv1.RegisterAthleteRequest{
			DisplayName: fmt.Sprintf("Go %d", number),
			Email:       fmt.Sprintf("go-%d@example.org", number),
		})
		if err != nil {
			return nil, err
		}
		result.Registered = append(result.Registered, response.GetAthlete().GetAthleteId())
	}

	response, err := client.GetAthlete(operator, &athletesv1.GetAthleteRequest{AthleteId: result.Registered[0]})
	if err != nil {
		return nil, err
	}
	result.Found = response.GetAthlete().GetDisplayName()

	// Two a page, as many pages as it takes.
	request := &athletesv1.ListAthletesRequest{PageSize: 2}
	for athlete, err := range athletesv1.ListAthletesAll(operator, client, request) {
		if err != nil {
			return nil, err
		}
		result.Listed = append(result.Listed, athlete.GetAthleteId())
	}

	_, err = client.RegisterAthlete(ctx, &athletesv1.RegisterAthleteRequest{
		DisplayName: "Go again",
		Email:       "go-0@example.org",
	})
	result.Taken = code(err)

	_, err = client.GetAthlete(operator, &athletesv1.GetAthleteRequest{AthleteId: "nobody"})
	result.Invalid = code(err)
	for _, detail := range status.Convert(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, violation := range bad.GetFieldViolations() {
				result.Violations = append(result.Violations, violation.GetField())
			}
		}
	}

	_, err = client.ListAthletes(ctx, &athletesv1.ListAthletesRequest{})
	result.Anonymous = code(err)

	// The api would take longer than we are willing to wait.
	impatient, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = client.RegisterAthlete(impatient, &athletesv1.RegisterAthleteRequest{
		DisplayName: "Slow",
		Email:       "go-slow@example.org",
	})
	result.Late, result.WaitedMs = code(err), time.Since(start).Milliseconds()
	return result, nil
}

// code is the name of a failure's code as the other languages write it.
func code(err error) string {
	return map[string]string{
		"AlreadyExists":    "ALREADY_EXISTS",
		"DeadlineExceeded": "DEADLINE_EXCEEDED",
		"InvalidArgument":  "INVALID_ARGUMENT",
		"Unauthenticated":  "UNAUTHENTICATED",
	}[status.Code(err).String()]
}
