/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - calls of server/client.c to a peer and a DNS of our own, for the tests of it. */
#pragma once

#include "model/text.h"
#include "server/client.h"
#include "server/guard.h"
#include "tests/unit/check.h"
#include "tests/unit/names.h"
#include "tests/unit/peer.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define GUARD_MS 20000 /* a test that waits so long has failed */

struct world {
        struct peer peer; /* platform.test */
        struct guard guard;
        struct client *client;
        struct inbox inbox;
};

static int home; /* calls that came home in this test */

static inline void came_home(struct call *call)
{
        assert_null(call->transfer);
        home++;
}

/* `listed`: what guarded calls may reach that is not public, besides. */
static inline void begin_guarded(struct world *w, int calls_max, const char *listed)
{
        home = 0;
        peer_start(&w->peer);
        assert_int_equal(inbox_init(&w->inbox, NULL), ERR_OK);
        assert_true(guard_read(listed, &w->guard));
        assert_int_equal(client_start(calls_max ? calls_max : CLIENT_CALLS_MAX, &w->guard, &w->client, NULL),
                         ERR_OK);
}

static inline void begin(struct world *w, int calls_max)
{
        begin_guarded(w, calls_max, NULL);
}

static inline void end(struct world *w)
{
        client_stop(w->client);
        peer_stop(&w->peer);
        inbox_done(&w->inbox);
}

static inline int requests(struct world *w)
{
        return peer_count(&w->peer, &w->peer.requests);
}

static inline int connections(struct world *w)
{
        return peer_count(&w->peer, &w->peer.connections);
}

static inline void await_home(struct world *w, int n)
{
        struct pollfd in = {.fd = w->inbox.fd, .events = POLLIN};

        while (home < n) {
                assert_int_equal(poll(&in, 1, GUARD_MS), 1);
                inbox_run(&w->inbox);
        }
        assert_int_equal(home, n);
}

/* A call to any URL, not yet submitted. */
static inline void prepare(struct world *w, struct call *call, const char *method, const char *url,
                           int64_t timeout_ms)
{
        *call = (struct call){.timeout_ms = timeout_ms, .reply = &w->inbox, .done = came_home};
        call->message.method = method;
        assert_int_equal(message_url(&call->message, NULL, "%s", url), ERR_OK);
}

/* Submits a call and waits for it. */
static inline void carry(struct world *w, struct call *call)
{
        client_submit(w->client, call);
        await_home(w, home + 1);
}

/* Likewise to a path of the peer, by name. */
static inline void prepare_path(struct world *w, struct call *call, const char *method, const char *path)
{
        char url[256];

        snprintf(url, sizeof url, "http://platform.test:%d%s", w->peer.port, path);
        prepare(w, call, method, url, GUARD_MS);
}

static inline void ask(struct world *w, struct call *call, const char *method, const char *path)
{
        prepare_path(w, call, method, path);
        carry(w, call);
}

static inline void assert_answered(const struct call *call, int http, const char *body)
{
        assert_string_equal(call->answer.trouble, "");
        assert_int_equal(call->answer.carried, CARRIED_ANSWERED);
        assert_int_equal(call->answer.http, http);
        assert_string_equal(call->answer.body, body);
        assert_int_equal(call->answer.length, strlen(body));
}

static inline void assert_not_answered(const struct call *call, enum carried carried)
{
        assert_int_equal(call->answer.carried, carried);
        assert_int_equal(call->answer.http, 0);
        assert_int_equal(call->answer.retry_after_ms, -1);
        assert_string_equal(call->answer.body, "");
        assert_int_equal(call->answer.length, 0);
        assert_string_not_equal(call->answer.trouble, "");
}
