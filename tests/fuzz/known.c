/* SPDX-License-Identifier: Apache-2.0 */
/* known.c - bodies and queries of callers whom the whole server knows: a courier firm, a restaurant, the admin, Yandex Eats. None
 * of them makes it fail (5xx). Routes by which it would call somebody are not among them. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEARD 65536
#define RUNS_MAX 20000 /* then the store is begun anew, so that it stays small */

enum who { COURIER, RESTAURANT, ADMIN, YANDEX, NOBODY };

/* In a path `@` is the order that is made for it; a query, which has no body, is the input. */
static const struct {
        enum who who;
        const char *method, *path;
        const char *type; /* NULL: the input is the query */
} routes[] = {
        {COURIER, "POST", "/api/v1/webhook/courier/status-update", "application/json"},
        {RESTAURANT, "POST", "/api/v1/orders", "application/json"},
        {RESTAURANT, "PUT", "/api/v1/orders/@/status", "application/json"},
        {RESTAURANT, "POST", "/api/v1/orders/@/call-courier", "application/json"},
        {RESTAURANT, "POST", "/api/v1/deliveries/replay", "application/json"},
        {RESTAURANT, "POST", "/api/v1/deliveries/@-platform/replay", "application/json"},
        {RESTAURANT, "GET", "/api/v1/orders", NULL},
        {RESTAURANT, "GET", "/api/v1/deliveries", NULL},
        {RESTAURANT, "GET", "/api/v1/orders/@/cancel-reasons", NULL},
        {NOBODY, "GET", "/api/v1/events", NULL},
        {ADMIN, "POST", "/api/v1/restaurants", "application/json"},
        {ADMIN, "POST", "/api/v1/erasures", "application/json"},
        {ADMIN, "GET", "/api/v1/erasures", NULL},
        {NOBODY, "POST", "/security/oauth/token", "application/x-www-form-urlencoded"},
        {YANDEX, "POST", "/order", "application/vnd.eats.order.v2+json"},
        {YANDEX, "PUT", "/order/@", "application/vnd.eats.order.v2+json"},
        {YANDEX, "DELETE", "/order/@", "application/json"},
        {YANDEX, "PUT", "/order/@/status", "application/json"},
        {YANDEX, "PUT", "/order/@/courier", "application/json"},
};
#define N_ROUTES (sizeof routes / sizeof *routes)

static struct {
        char restaurant[64], token[64], key[64], secret[64], access[1024], number[32];
        int runs, made;
} known;

/* ---- a request and its answer ---- */

/* The answer's status; all of it in `heard`. libFuzzer's alarm interrupts. */
static int ask(const char *head, const uint8_t *body, size_t n, char heard[HEARD])
{
        const int fd = fuzz_connect();
        size_t got = 0;
        ssize_t part = 1;
        int status = 0;

        /* The server may answer before it has read all. */
        if (TEMP_FAILURE_RETRY(send(fd, head, strlen(head), MSG_NOSIGNAL)) > 0)
                for (size_t sent = 0; sent < n && part > 0; sent += part > 0 ? (size_t)part : 0)
                        part = TEMP_FAILURE_RETRY(send(fd, body + sent, n - sent, MSG_NOSIGNAL));
        while (got < HEARD - 1 && (part = TEMP_FAILURE_RETRY(recv(fd, heard + got, HEARD - 1 - got, 0))) > 0)
                got += (size_t)part;
        heard[got] = '\0';
        close(fd);
        if (sscanf(heard, "HTTP/1.1 %3d", &status) != 1)
                status = 0;
        return status;
}

/* Of the answer, the member's text. */
static void take(const char *heard, const char *name, char *to, size_t size)
{
        char quoted[64];
        const char *at;

        snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
        at = strstr(heard, quoted);
        assert(at);
        at += strlen(quoted);
        snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
}

static int write_head(char *to, size_t size, enum who who, const char *method, const char *target,
                      const char *type, size_t n, const char *more)
{
        const char *secret = who == RESTAURANT ? known.token
                             : who == ADMIN    ? FUZZ_ADMIN
                             : who == YANDEX   ? known.access
                                               : "none";

        return snprintf(
                to, size,
                "%s %s HTTP/1.1\r\nHost: k\r\nConnection: close\r\n%s%s\r\n%s%s%sContent-Length: %zu\r\n%s\r\n",
                method, target, who == COURIER ? "x-api-key: " : "Authorization: Bearer ",
                who == COURIER ? known.key : secret, type ? "Content-Type: " : "", type ? type : "",
                type ? "\r\n" : "", n, more);
}

static void make(enum who who, const char *method, const char *target, const char *type, const char *body,
                 char heard[HEARD])
{
        char head[2048];
        int status;

        write_head(head, sizeof head, who, method, target, type, strlen(body), "");
        status = ask(head, (const uint8_t *)body, strlen(body), heard);
        if (status / 100 != 2) {
                fprintf(stderr, "%s%s\n%s\n", head, body, heard);
                abort();
        }
}

/* ---- who they are, and their order ---- */

#define JSON "application/json"

static void introduce(char heard[HEARD])
{
        char target[256], body[512];

        make(ADMIN, "POST", "/api/v1/restaurants", JSON, "{\"name\":\"Deneme\"}", heard);
        take(heard, "restaurantId", known.restaurant, sizeof known.restaurant);
        take(heard, "token", known.token, sizeof known.token);
        snprintf(target, sizeof target, "/api/v1/restaurants/%s/courier-integrations", known.restaurant);
        make(RESTAURANT, "POST", target, JSON, "{\"name\":\"Kurye\"}", heard);
        take(heard, "apiKey", known.key, sizeof known.key);
        snprintf(target, sizeof target, "/api/v1/restaurants/%s/platforms/yandex", known.restaurant);
        make(RESTAURANT, "PUT", target, JSON, "{\"enabled\":true}", heard);
        take(heard, "clientSecret", known.secret, sizeof known.secret);
        snprintf(body, sizeof body,
                 "client_id=%s&client_secret=%s&grant_type=client_credentials&scope=read+write",
                 known.restaurant, known.secret);
        make(NOBODY, "POST", "/security/oauth/token", "application/x-www-form-urlencoded", body, heard);
        take(heard, "access_token", known.access, sizeof known.access);
}

static void order(bool of_yandex, char ret[32], char heard[HEARD])
{
        char body[1024];

        snprintf(known.number, sizeof known.number, "%06d-0000", known.made++);
        if (of_yandex)
                snprintf(
                        body, sizeof body,
                        "{\"platform\":\"YE\",\"discriminator\":\"marketplace\",\"eatsId\":\"%s\",\"restaurantId\":\"%s\","
                        "\"deliveryInfo\":{\"clientName\":\"A\",\"phoneNumber\":\"1\",\"deliveryDate\":\"2030-11-07T10:30:00.000000+03:00\","
                        "\"deliveryAddress\":{\"full\":\"B\",\"latitude\":\"40\",\"longitude\":\"29\"}},"
                        "\"paymentInfo\":{\"itemsCost\":1,\"paymentType\":\"CASH\",\"deliveryFee\":1},"
                        "\"items\":[{\"id\":\"p\",\"name\":\"C\",\"quantity\":1,\"price\":1,\"modifications\":[],\"promos\":[]}],"
                        "\"persons\":1,\"comment\":\"\",\"promos\":[]}",
                        known.number, known.restaurant);
        else
                snprintf(
                        body, sizeof body,
                        "{\"platform\":\"phone\",\"price\":1,\"paymentMethod\":\"card\",\"customer\":{\"details\":{\"name\":\"A\",\"phone\":\"1\"},"
                        "\"address\":{\"detailedAddress\":\"B\"}}}");
        make(of_yandex ? YANDEX : RESTAURANT, "POST", of_yandex ? "/order" : "/api/v1/orders",
             of_yandex ? "application/vnd.eats.order.v2+json" : JSON, body, heard);
        take(heard, "orderId", ret, 32);
}

/* ---- the input ---- */

/* A printable copy without blanks, of what may stand in a line of a request. */
static void copy_visible(char *to, size_t size, const uint8_t *from, size_t n)
{
        size_t length = 0;

        for (size_t i = 0; i < n && length + 1 < size; i++)
                if (from[i] > ' ' && from[i] < 0x7f)
                        to[length++] = (char)from[i];
        to[length] = '\0';
}

/* Ids would never be guessed: `@` is the order's, `$` its number at Yandex Eats, `#` the restaurant's. */
static uint8_t *fill(const uint8_t *bytes, size_t n, const char *id, size_t *ret_n)
{
        char *filled = NULL;
        FILE *to = open_memstream(&filled, ret_n);

        assert(to);
        for (size_t i = 0; i < n; i++)
                if (bytes[i] == '@')
                        fputs(id, to);
                else if (bytes[i] == '#')
                        fputs(known.restaurant, to);
                else if (bytes[i] == '$')
                        fputs(known.number, to);
                else
                        fputc(bytes[i], to);
        fclose(to);
        return (uint8_t *)filled;
}

/* The first byte names the route, from `a` on; to the end of the line an Idempotency-Key; then the body, or the query. */
void fuzz_known(const uint8_t *bytes, size_t n)
{
        static char heard[HEARD];
        const uint8_t *end = n ? memchr(bytes, '\n', n) : NULL;
        const size_t route = n ? (size_t)(bytes[0] - 'a') : N_ROUTES;
        char key[300], more[400] = "", id[32] = "", path[128], target[4096], head[8192];
        uint8_t *body;
        size_t body_n;
        const char *at;
        int status;

        if (!end || route >= N_ROUTES)
                return;
        if (fuzz_serve(known.runs++ % RUNS_MAX == 0))
                introduce(heard);
        at = strchr(routes[route].path, '@');
        if (at || memchr(bytes, '@', n))
                order(routes[route].who == YANDEX, id, heard);
        snprintf(path, sizeof path, "%.*s%s%s", at ? (int)(at - routes[route].path) : 128, routes[route].path,
                 at ? id : "", at ? at + 1 : "");
        copy_visible(key, sizeof key, bytes + 1, (size_t)(end - bytes) - 1);
        if (key[0])
                snprintf(more, sizeof more, "Idempotency-Key: %s\r\n", key);
        end++;
        body = fill(end, n - (size_t)(end - bytes), id, &body_n);
        snprintf(target, sizeof target, "%s", path);
        if (!routes[route].type) {
                snprintf(target, sizeof target, "%s?", path);
                copy_visible(target + strlen(target), 2048, body, body_n);
                body_n = 0;
        }
        write_head(head, sizeof head, routes[route].who, routes[route].method, target, routes[route].type,
                   body_n, more);
        status = ask(head, body, body_n, heard);
        if (status < 200 || status >= 500) {
                fprintf(stderr, "%s%.*s\n%s\n", head, (int)MIN(body_n, 4096), (const char *)body, heard);
                abort();
        }
        free(body);
}
