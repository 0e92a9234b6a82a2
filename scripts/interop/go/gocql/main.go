// gocql, the Go driver of Apache Cassandra, through the secure connect bundle, as DataStax's gocql-astra does it: each
// connection goes to the SNI proxy, with the host id as server name. The protocol version is discovered.
package main

import (
	"archive/zip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

type dialer struct {
	tls     *tls.Config
	address string
	hosts   []string
	next    atomic.Uint32
}

// DialHost connects to a node by its host id, or to any while none is known.
func (d *dialer) DialHost(ctx context.Context, host *gocql.HostInfo) (*gocql.DialedHost, error) {
	id := host.HostID()
	if id == "" {
		id = d.hosts[int(d.next.Add(1))%len(d.hosts)]
	}
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, err
	}
	config := d.tls.Clone()
	config.ServerName = id
	// The certificate is that of the proxy's host, not of the name that is sent.
	config.InsecureSkipVerify = true
	name, _, err := net.SplitHostPort(d.address)
	if err != nil {
		return nil, err
	}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: name, Roots: d.tls.RootCAs})
		return err
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return &gocql.DialedHost{Conn: secure, DisableCoalesce: true}, nil
}

func check(err error, what string) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}

func read(bundle *zip.ReadCloser, name string) []byte {
	file, err := bundle.Open(name)
	check(err, name)
	defer file.Close()
	bytes, err := io.ReadAll(file)
	check(err, name)
	return bytes
}

func open(path string) *dialer {
	bundle, err := zip.OpenReader(path)
	check(err, "the bundle")
	defer bundle.Close()
	var config struct {
		Host string
		Port int
	}
	check(json.Unmarshal(read(bundle, "config.json"), &config), "config.json")
	pair, err := tls.X509KeyPair(read(bundle, "cert"), read(bundle, "key"))
	check(err, "cert and key")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read(bundle, "ca.crt"))
	d := &dialer{tls: &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots}}
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: d.tls}}
	response, err := client.Get(fmt.Sprintf("https://%s:%d/metadata", config.Host, config.Port))
	check(err, "the metadata service")
	defer response.Body.Close()
	var metadata struct {
		ContactInfo struct {
			ContactPoints   []string `json:"contact_points"`
			SniProxyAddress string   `json:"sni_proxy_address"`
		} `json:"contact_info"`
	}
	check(json.NewDecoder(response.Body).Decode(&metadata), "metadata")
	d.address, d.hosts = metadata.ContactInfo.SniProxyAddress, metadata.ContactInfo.ContactPoints
	return d
}

func main() {
	d := open(os.Getenv("ASTRA_DB_SECURE_BUNDLE_PATH"))
	cluster := gocql.NewCluster("0.0.0.1")
	cluster.HostDialer = d
	cluster.Keyspace = os.Getenv("ASTRA_DB_KEYSPACE")
	cluster.Timeout, cluster.ConnectTimeout = 20*time.Second, 20*time.Second
	cluster.Authenticator = gocql.PasswordAuthenticator{Username: "token", Password: os.Getenv("ASTRA_DB_APPLICATION_TOKEN")}
	session, err := cluster.CreateSession()
	check(err, "cannot connect")
	defer session.Close()
	var name string
	check(session.Query("SELECT cluster_name FROM system.local").Scan(&name), "cannot read")
	if name != "cndb" {
		log.Fatalf("cluster %q", name)
	}
	fmt.Println("ok  connected, with the protocol version discovered:", name)

	table := fmt.Sprintf("rust_sample_interop_go_%d", time.Now().UnixMicro())
	check(session.Query("CREATE TABLE "+table+" (k int PRIMARY KEY, v text)").Exec(), "cannot create a table")
	defer func() { check(session.Query("DROP TABLE "+table).Exec(), "cannot drop the table") }()
	insert := "INSERT INTO " + table + " (k, v) VALUES (?, ?)"
	check(session.Query(insert, 1, "Emma").Consistency(gocql.LocalQuorum).Exec(), "cannot insert")
	var value string
	check(session.Query("SELECT v FROM "+table+" WHERE k = ?", 1).Scan(&value), "cannot read the row")
	if value != "Emma" {
		log.Fatalf("read %q", value)
	}
	fmt.Println("ok  a row written and read")
	if err := session.Query(insert, 2, "x").Consistency(gocql.LocalOne).Exec(); err == nil {
		log.Fatal("a write at LOCAL_ONE was accepted")
	}
	fmt.Println("ok  a write at LOCAL_ONE is refused")
}
