// Command miniredis runs a server of Redis' protocol for the tests, with Lua scripts, in memory.
//
// It prints its connection string on one line when it listens, and stops on SIGINT or SIGTERM. Its clock goes with the
// machine's; the command CLOCK.ADVANCE MILLISECONDS, which Redis does not have, puts it forward or, with a negative
// number, back.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
)

const tick = 10 * time.Millisecond

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	if err := serve(ctx, *address); err != nil {
		fmt.Fprintln(os.Stderr, "miniredis:", err)
		os.Exit(1)
	}
}

// serve runs one server until ctx is cancelled.
func serve(ctx context.Context, address string) error {
	redis := miniredis.NewMiniRedis()
	if err := redis.StartAddr(address); err != nil {
		return err
	}
	defer redis.Close()
	clock := &clock{redis: redis, last: time.Now()}
	clock.advance(0)
	if err := redis.Server().Register("CLOCK.ADVANCE", clock.command); err != nil {
		return err
	}
	fmt.Printf("redis://%s/0\n", redis.Addr())
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			clock.advance(0)
		}
	}
}

// clock is the time that the server goes by. miniredis lets no key expire by itself.
type clock struct {
	mutex  sync.Mutex
	redis  *miniredis.Miniredis
	last   time.Time
	offset time.Duration
}

// advance follows the machine's clock, and puts the server's by further; what has expired meanwhile is gone.
func (c *clock) advance(further time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	now := time.Now()
	passed := now.Sub(c.last) + further
	c.last = now
	c.offset += further
	c.redis.SetTime(now.Add(c.offset).UTC())
	if passed > 0 {
		c.redis.FastForward(passed)
	}
}

// command is CLOCK.ADVANCE.
func (c *clock) command(peer *server.Peer, _ string, arguments []string) {
	if len(arguments) != 1 {
		peer.WriteError("ERR give the milliseconds")
		return
	}
	milliseconds, err := strconv.ParseInt(arguments[0], 10, 64)
	if err != nil {
		peer.WriteError("ERR the milliseconds are no integer")
		return
	}
	c.advance(time.Duration(milliseconds) * time.Millisecond)
	peer.WriteOK()
}
