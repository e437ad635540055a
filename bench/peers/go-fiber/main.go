// Command go-fiber is the old design as a peer: Fiber v3 over SQLite in WAL mode, one write connection that every
// write waits for, and a pool of readers. One transaction per request, committed with synchronous=FULL.
//
// Settings come from the environment (PEER_FOLDER, PEER_SCHEMA); it prints {"port":N} when it listens and ends when
// its standard input is closed.
package main

import (
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/mattn/go-sqlite3"
)

const (
	holdTTL        = 24 * time.Hour
	maxPerCustomer = 2
	readers        = 4
)

type server struct {
	write, read                                                           *sql.DB
	findKey, findHold, insertPayment, insertOrder, insertEntry, insertKey *sql.Stmt
	capture, sell, reserve, countBuyer, insertHold, findSku, listSkus     *sql.Stmt
}

var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

func mint(prefix string) string {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		log.Fatal(err)
	}
	return prefix + "_" + encoding.EncodeToString(random[:])
}

func open(path, mode string, connections int) *sql.DB {
	db, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=on&_cache_size=-65536"+mode)
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

func prepare(db *sql.DB, query string) *sql.Stmt {
	statement, err := db.Prepare(query)
	if err != nil {
		log.Fatalf("%s: %v", query, err)
	}
	return statement
}

func newServer(path, schema string) *server {
	write := open(path, "&_txlock=immediate", 1)
	if _, err := write.Exec(schema); err != nil {
		log.Fatal(err)
	}
	read := open(path, "&_query_only=on", readers)
	return &server{
		write: write, read: read,
		findKey:       prepare(write, "SELECT fingerprint, answer FROM request WHERE id = ?"),
		findHold:      prepare(write, "SELECT sku_id, status, amount, currency FROM hold WHERE id = ?"),
		insertPayment: prepare(write, "INSERT INTO payment (id, provider, provider_payment_id, hold_id, order_id, status, amount, currency, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
		insertOrder:   prepare(write, "INSERT INTO orders (id, hold_id, payment_id, amount, currency, created_ms) VALUES (?, ?, ?, ?, ?, ?)"),
		insertEntry:   prepare(write, "INSERT INTO ledger_entry (payment_id, debit, credit, amount, currency) VALUES (?, ?, ?, ?, ?)"),
		insertKey:     prepare(write, "INSERT INTO request (id, fingerprint, answer, created_ms) VALUES (?, ?, ?, ?)"),
		capture:       prepare(write, "UPDATE hold SET status = 'captured' WHERE id = ?"),
		sell:          prepare(write, "UPDATE sku SET held = held - 1, sold = sold + 1 WHERE id = ?"),
		reserve:       prepare(write, "UPDATE sku SET held = held + ?1 WHERE id = ?2 AND drop_id = ?3 AND stock - held - sold >= ?1"),
		countBuyer:    prepare(write, "INSERT INTO buyer (email, units) VALUES (?1, ?2) ON CONFLICT (email) DO UPDATE SET units = units + excluded.units RETURNING units"),
		insertHold:    prepare(write, "INSERT INTO hold (id, sku_id, email, quantity, status, amount, currency, client_secret, expires_ms) VALUES (?, ?, ?, ?, 'active', ?, ?, ?, ?)"),
		findSku:       prepare(write, "SELECT unit_amount, currency FROM sku WHERE id = ?"),
		listSkus:      prepare(read, "SELECT id, drop_id, name, unit_amount, currency, stock, held, sold FROM sku"),
	}
}

func refuse(c fiber.Ctx, status int, code string) error {
	return c.Status(status).JSON(fiber.Map{"status": status, "code": code})
}

func (s *server) listDrops(c fiber.Ctx) error {
	rows, err := s.listSkus.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	data := []fiber.Map{}
	for rows.Next() {
		var id, drop, name, currency string
		var amount, stock, held, sold int64
		if err := rows.Scan(&id, &drop, &name, &amount, &currency, &stock, &held, &sold); err != nil {
			return err
		}
		data = append(data, fiber.Map{"id": drop, "object": "drop", "status": "live", "currency": currency, "skus": []fiber.Map{{
			"id": id, "name": name, "unit_amount": amount, "stock": stock, "held": held, "sold": sold, "available": stock - held - sold}}})
	}
	return c.JSON(fiber.Map{"object": "list", "data": data, "has_more": false})
}

type holdRequest struct {
	Drop  string `json:"drop"`
	Lines []struct {
		Sku      string `json:"sku"`
		Quantity int64  `json:"quantity"`
	} `json:"lines"`
	Customer struct {
		Email string `json:"email"`
	} `json:"customer"`
}

func (s *server) createHold(c fiber.Ctx) error {
	var request holdRequest
	if err := c.Bind().JSON(&request); err != nil || len(request.Lines) != 1 || request.Lines[0].Quantity < 1 || request.Customer.Email == "" {
		return refuse(c, 400, "bad_request")
	}
	line := request.Lines[0]
	tx, err := s.write.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var amount, units int64
	var currency string
	if err := tx.Stmt(s.findSku).QueryRow(line.Sku).Scan(&amount, &currency); err != nil {
		return refuse(c, 404, "not_found")
	}
	reserved, err := tx.Stmt(s.reserve).Exec(line.Quantity, line.Sku, request.Drop)
	if err != nil {
		return err
	}
	if count, _ := reserved.RowsAffected(); count == 0 {
		return refuse(c, 409, "sold_out")
	}
	if err := tx.Stmt(s.countBuyer).QueryRow(strings.ToLower(request.Customer.Email), line.Quantity).Scan(&units); err != nil {
		return err
	}
	if units > maxPerCustomer {
		return refuse(c, 409, "limit_reached")
	}
	id, secret, expires := mint("hold"), mint("cs"), time.Now().Add(holdTTL).UnixMilli()
	if _, err := tx.Stmt(s.insertHold).Exec(id, line.Sku, request.Customer.Email, line.Quantity, amount*line.Quantity, currency, secret, expires); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return c.Status(201).JSON(fiber.Map{"id": id, "object": "hold", "status": "active", "drop": request.Drop, "lines": request.Lines,
		"amount": amount * line.Quantity, "currency": currency, "client_secret": secret, "expires_at": expires / 1000})
}

type paymentRequest struct {
	Hold              string `json:"hold"`
	Provider          string `json:"provider"`
	ProviderPaymentID string `json:"provider_payment_id"`
	Amount            int64  `json:"amount"`
	Currency          string `json:"currency"`
}

func (s *server) createPayment(c fiber.Ctx) error {
	var request paymentRequest
	if err := c.Bind().JSON(&request); err != nil || request.Hold == "" || request.ProviderPaymentID == "" {
		return refuse(c, 400, "bad_request")
	}
	key, body := c.Get("Idempotency-Key"), string(c.Body())
	tx, err := s.write.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var fingerprint, answer string
	switch err := tx.Stmt(s.findKey).QueryRow(key).Scan(&fingerprint, &answer); {
	case err == nil && fingerprint != body:
		return refuse(c, 422, "key_reused")
	case err == nil:
		c.Set("Content-Type", "application/json")
		return c.Status(201).SendString(answer)
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	var sku, status, currency string
	var amount int64
	if err := tx.Stmt(s.findHold).QueryRow(request.Hold).Scan(&sku, &status, &amount, &currency); err != nil {
		return refuse(c, 404, "not_found")
	}
	if status != "active" || amount != request.Amount || currency != request.Currency {
		return refuse(c, 409, "refund_due")
	}
	id, order, now := mint("pay"), mint("ord"), time.Now().UnixMilli()
	reply, err := json.Marshal(fiber.Map{"id": id, "object": "payment", "status": "captured", "hold": request.Hold, "order": order,
		"provider": request.Provider, "provider_payment_id": request.ProviderPaymentID, "amount": amount, "currency": currency})
	if err != nil {
		return err
	}
	for _, write := range []struct {
		statement *sql.Stmt
		values    []any
	}{
		{s.insertPayment, []any{id, request.Provider, request.ProviderPaymentID, request.Hold, order, "captured", amount, currency, now}},
		{s.insertOrder, []any{order, request.Hold, id, amount, currency, now}},
		{s.insertEntry, []any{id, "cash:" + request.Provider, "sales", amount, currency}},
		{s.capture, []any{request.Hold}},
		{s.sell, []any{sku}},
		{s.insertKey, []any{key, body, string(reply), now}},
	} {
		if _, err := tx.Stmt(write.statement).Exec(write.values...); err != nil {
			var failure sqlite3.Error
			if errors.As(err, &failure) && failure.Code == sqlite3.ErrConstraint {
				return refuse(c, 409, "payment_conflict")
			}
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	c.Set("Content-Type", "application/json")
	return c.Status(201).Send(reply)
}

func main() {
	schema, err := os.ReadFile(os.Getenv("PEER_SCHEMA"))
	if err != nil {
		log.Fatal(err)
	}
	s := newServer(filepath.Join(os.Getenv("PEER_FOLDER"), "peer.db"), string(schema))
	app := fiber.New(fiber.Config{})
	app.Get("/v1/drops", s.listDrops)
	app.Post("/v1/holds", s.createHold)
	app.Post("/v1/payments", s.createPayment)
	// A connection of the load generator rests here when its time is over.
	app.Get("/park", func(c fiber.Ctx) error { time.Sleep(2 * time.Second); return c.SendString("") })
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}))
}
