/* SPDX-License-Identifier: Apache-2.0 */
/* health.c - alive means the loop turns; ready means that what comes in can be done. A platform's outage is shown but
 * takes no server out of the balancer. And what was counted. */
#include "handlers/handlers.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "model/clean.h"
#include "server/census.h"
#include "server/client.h"
#include "server/config.h"
#include "server/hub.h"
#include "server/metrics.h"
#include "server/outbound.h"
#include "server/poller.h"

#include <stdio.h>

#define PULSE_MS 5000 /* a thread that has not gone round for so long is stuck; each does every second */
#define STUCK_SIZE sizeof "client hub outbound poller"

void health_live(struct request *r)
{
        static const char body[] = "{\"status\":\"ok\"}";

        request_reply(r, 200, body, sizeof body - 1);
}

/* Which loops are stuck, `hub poller`. */
static const char *stuck_loops(const struct app *app, char to[STUCK_SIZE])
{
        const struct {
                const char *name;
                int64_t pulse_ms;
        } loops[] = {{"client", client_pulse_ms(app->client)},
                     {"hub", hub_pulse_ms(app->hub)},
                     {"outbound", outbound_pulse_ms(app->outbound)},
                     {"poller", poller_pulse_ms(app->poller)}};
        const int64_t now_ms = time_boot_ms();
        size_t n = 0;

        to[0] = '\0';
        for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
                if (now_ms - loops[i].pulse_ms >= PULSE_MS)
                        n += (size_t)snprintf(to + n, STUCK_SIZE - n, "%s%s", n > 0 ? " " : "",
                                              loops[i].name);
        return to;
}

static void say_ready(struct request *r, bool store, int64_t owed_ms)
{
        const struct app *app = caller_app(r);
        char stuck[STUCK_SIZE];
        const bool loops = !*stuck_loops(app, stuck);
        const bool draining = http_is_stopping(app->http);
        CLEAN(json_put_at) struct json_object *data = answer_object();

        if (data && json_add_bool(data, "ready", store && loops && !draining) &&
            json_add_text(data, "store", store ? "ok" : "failing") &&
            json_add_text(data, "loops", loops ? "ok" : "stuck") &&
            (loops || json_add_text(data, "stuck", stuck)) && json_add_bool(data, "draining", draining) &&
            json_add_int(data, "oldestOwedSeconds", owed_ms / 1000))
                request_reply_text(r, store && loops && !draining ? 200 : 503, json_text(data));
        else
                request_fail(r, ERR_NO_MEMORY, NULL);
}

static void probed(struct letter *letter)
{
        struct store_probe *probe = (struct store_probe *)letter;
        struct request *r = probe->job.arg;
        const bool store = probe->job.err == ERR_OK && store_is_ready(caller_app(r)->store);

        request_release(r);
        say_ready(r, store, store && probe->oldest_due_ms > 0 ? probe->now_ms - probe->oldest_due_ms : 0);
}

static void late(struct request *r)
{
        say_ready(r, /* store= */ false, 0);
}

/* A store that is known to fail is not asked: its silence would hold the answer until the deadline. */
void health_ready(struct request *r)
{
        struct store_probe *probe;

        if (!store_is_ready(caller_app(r)->store)) {
                say_ready(r, /* store= */ false, 0);
                return;
        }
        probe = request_alloc(r, sizeof *probe, NULL);
        if (!probe) {
                request_fail(r, ERR_NO_MEMORY, NULL);
                return;
        }
        probe->job = (struct job){.letter.run = probed,
                                  .reply = http_inbox(caller_app(r)->http),
                                  .arg = r}; /* ACCESS_TRUSTED */
        request_on_late(r, late);
        if (request_hold(r))
                store_probe(caller_app(r)->store, probe);
}

void health_metrics(struct request *r)
{
        const struct app *app = caller_app(r);
        char stuck[STUCK_SIZE];
        struct sampled now = {.store_ready = store_is_ready(app->store),
                              .loops_ready = !*stuck_loops(app, stuck),
                              .draining = http_is_stopping(app->http),
                              .connections = http_connections(app->http),
                              .connections_max = (int)app->config->connections_max,
                              .held = http_held(app->http),
                              .store_jobs = store_waiting(app->store),
                              .clock_offset_ms = store_now(app->store) - time_now_ms()};
        char *text;

        now.has_counted = census_look(app->census, app->store, http_inbox(app->http), &now.counted);
        process_look(&now.process);
        text = metrics_write(&now);
        if (text)
                request_reply_header(r, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        request_reply_text(r, 200, text);
}
