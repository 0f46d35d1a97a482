/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - the table of settings, and what is made of it. */
#include "server/config.h"

#include "model/clean.h"
#include "model/crypto.h"
#include "model/store.h"
#include "model/text.h"
#include "server/guard.h"
#include "server/listener.h"
#include "server/log.h"
#include "server/outbound.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "KURYE_"
#define SECRET_MAX 4096
#define REQUIRED ""
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

enum type { TEXT, SECRET, INTEGER, DURATION, DURATIONS };

struct setting {
        const char *name; /* after KURYE_ */
        enum type type;
        size_t at;                               /* of its field in struct config */
        const char *standard;                    /* NULL: unset; REQUIRED: there is none */
        int64_t min, max;                        /* characters, the number, or milliseconds */
        const char *(*wrong)(const char *value); /* what else is wrong with it; may be NULL, and give it */
        const char *sentence;
};

/* ---- checks of single settings ---- */

static const char *wrong_listen(const char *value)
{
        char host[HOST_SIZE], port[PORT_SIZE];

        return listener_read(value, host, port) ? NULL : "must be host:port or [v6]:port";
}

static const char *wrong_store(const char *value)
{
        return store_wrong(value);
}

static const char *wrong_secret_key(const char *value)
{
        struct keyring *ring;

        if (keyring_read(value, &ring, NULL))
                return "must be id:<32 bytes in base64>, several with commas, ids of at most 16 letters and digits";
        keyring_free(ring);
        return NULL;
}

static const char *wrong_contact(const char *value)
{
        for (size_t n; *value; value += n) {
                n = utf8_length(value, strlen(value));
                if (n == 0 || (unsigned char)*value < 0x20 || *value == 0x7f)
                        return "must be one line of UTF-8";
        }
        return NULL;
}

static const char *wrong_log_level(const char *value)
{
        enum log_level level;

        return log_level_find(value, &level) ? NULL : "must be debug, info, warn or error";
}

static const char *wrong_core_dumps(const char *value)
{
        return streq(value, "never") || streq(value, "allowed") ? NULL : "must be never or allowed";
}

static const char *wrong_networks(const char *value)
{
        struct guard guard;

        return guard_read(value, &guard)
                       ? NULL
                       : "must be up to 32 networks with commas, as 10.0.0.0/8 or fd00::/8, "
                         "no bit set behind the prefix";
}

/* http or https, a host, perhaps a port and a path; nothing that could say who asks or what. */
static const char *wrong_url(const char *value)
{
        const char *host = strncmp(value, "http://", 7) == 0    ? value + 7
                           : strncmp(value, "https://", 8) == 0 ? value + 8
                                                                : "";

        if (*host && !strchr("/:", *host) && value[strlen(value) - 1] != '/' && !strpbrk(value, "@?# \\") &&
            text_is_printable(value, 1, SIZE_MAX))
                return NULL;
        return "must be http:// or https:// with a host, without user, query, fragment or slash at its end";
}

/* ---- the table ---- */

#define FIELD(name) offsetof(struct config, name)

static const struct setting settings[] = {
        {"LISTEN", TEXT, FIELD(listen), "127.0.0.1:8080", 3, 262, wrong_listen,
         "Where couriers, restaurants and platforms call; port 0 takes a free one."},
        {"OPS_LISTEN", TEXT, FIELD(ops_listen), "127.0.0.1:9090", 3, 262, wrong_listen,
         "Where health and metrics are asked for; never show it to the world."},
        {"STORE", SECRET, FIELD(store), "sqlite:kurye.db", 8, SECRET_MAX, wrong_store,
         "Where everything is kept: sqlite:PATH, or a mongodb:// or mongodb+srv:// URI with a database."},
        {"ADMIN_TOKEN", SECRET, FIELD(admin_token), NULL, 32, SECRET_MAX, NULL,
         "What an admin shows as Bearer; unset: there is no admin."},
        {"SECRET_KEY", SECRET, FIELD(secret_key), REQUIRED, 1, SECRET_MAX, wrong_secret_key,
         "Seals credentials at rest: id:<32 bytes in base64>; of several with commas the first seals, all open."},
        {"PUBLIC_URL", TEXT, FIELD(public_url), NULL, 8, 512, wrong_url,
         "Where the world reaches us, as partners are told to call it; unset: they are not told."},
        {"CONTACT", TEXT, FIELD(contact), NULL, 3, 200, wrong_contact,
         "Whom courier firms ask, as /docs shows it: an e-mail address, a URL, a phone number."},
        {"RETRY_SCHEDULE", DURATIONS, FIELD(retry_ms), "1s,5s,25s", 1, 24 * HOUR, NULL,
         "How long to wait before each repeat of a call that failed; as many repeats as there are waits."},
        {"OUTBOUND_TIMEOUT", DURATION, FIELD(outbound_timeout_ms), "10s", 100, 2 * MINUTE, NULL,
         "How long one call to a platform or courier may take in all."},
        {"OUTBOUND_ALLOW", TEXT, FIELD(outbound_allow), NULL, 1, 2048, wrong_networks,
         "Networks that a courier firm's URL may lead to though they are not public; by plain http too."},
        {"LEASE_SLACK", DURATION, FIELD(lease_slack_ms), "10s", 100, 10 * MINUTE, NULL,
         "How much longer than two calls a claim on what is owed holds."},
        {"REQUEST_DEADLINE", DURATION, FIELD(request_deadline_ms), "5s", 100, MINUTE, NULL,
         "By when a request that was taken is answered, whatever the store does."},
        {"RECEIVE_DEADLINE", DURATION, FIELD(receive_deadline_ms), "30s", 100, 10 * MINUTE, NULL,
         "By when a request must be complete; its connection is cut then."},
        {"GETIRYEMEK_URL", TEXT, FIELD(getiryemek_url), "https://food-external-api-gateway.getirapi.com", 8,
         512, wrong_url, "GetirYemek's address, or a test host."},
        {"YEMEKSEPETI_URL", TEXT, FIELD(yemeksepeti_url),
         "https://integration-middleware.me.restaurant-partners.com", 8, 512, wrong_url,
         "YemekSepeti's address, or a test host: orders may be answered there too, by plain http even."},
        {"TRENDYOLYEMEK_URL", TEXT, FIELD(trendyolyemek_url), "https://api.tgoapis.com", 8, 512, wrong_url,
         "Trendyol Yemek's address, or a test host."},
        {"MIGROSYEMEK_URL", TEXT, FIELD(migrosyemek_url), "https://gourmet.migrosonline.com", 8, 512,
         wrong_url, "Migros Yemek's address, or a test host."},
        {"DUKKANGO_URL", TEXT, FIELD(dukkango_url), "https://www.xn--dkkango-n2a.com/api/integrations", 8,
         512, wrong_url, "Dükkango's address, or a test host."},
        {"GETIRYEMEK_STEP_WAIT", DURATION, FIELD(getiryemek_step_wait_ms), "60s", 1, 10 * MINUTE, NULL,
         "How long GetirYemek wants between verify, prepare and deliver of one order."},
        {"GETIRYEMEK_PAUSE", DURATION, FIELD(getiryemek_pause_ms), "20s", 1, 10 * MINUTE, NULL,
         "How long a 429 of GetirYemek holds its calls back at least; it blocks for 20 s after 300 in 60 s."},
        {"GETIRYEMEK_LOGINS", INTEGER, FIELD(getiryemek_logins), "10", 1, LOGINS_KEPT, NULL,
         "How many logins of one account GetirYemek takes in a minute; the next one waits."},
        {"TRENDYOLYEMEK_PAUSE", DURATION, FIELD(trendyolyemek_pause_ms), "10s", 1, 10 * MINUTE, NULL,
         "How long a 429 of Trendyol Yemek holds its calls back at least; it allows 50 in 10 s."},
        {"DUKKANGO_POLL", DURATION, FIELD(dukkango_poll_ms), "30s", 1, 10 * MINUTE, NULL,
         "How long Dükkango wants between two looks at its orders; a 429 of it holds its calls back as long."},
        {"EVENTS_PING", DURATION, FIELD(events_ping_ms), "30s", 100, 10 * MINUTE, NULL,
         "How often a watcher is pinged, and its token looked at again; no pong until the next: it is dropped."},
        {"TICKET_LIFE", DURATION, FIELD(ticket_life_ms), "60s", 1000, 10 * MINUTE, NULL,
         "How long a ticket for /api/v1/events is good; it is so once."},
        {"TRUSTED_PROXIES", TEXT, FIELD(trusted_proxies), NULL, 1, 2048, wrong_networks,
         "Networks of proxies whose X-Forwarded-For is believed; of all others it is ignored."},
        {"RETENTION_DAYS", INTEGER, FIELD(retention_days), "30", 1, 3650, NULL,
         "Days after which customers' data are erased from orders that are over, or left alone; there is no never."},
        {"MAX_CONNECTIONS", INTEGER, FIELD(connections_max), "12000", 16, 1000000, NULL,
         "Clients at once; for more, whoever has been slow or idle for longest makes room."},
        {"CORE_DUMPS", TEXT, FIELD(core_dumps), "never", 1, 16, wrong_core_dumps,
         "Whether a crash may leave a core file, with the secrets and customers that are in memory: never, or allowed."},
        {"LOG_LEVEL", TEXT, FIELD(log_level), "info", 1, 16, wrong_log_level,
         "From which level on lines are logged: debug (a line for each request), info, warn or error."},
};

#define COUNT (sizeof settings / sizeof settings[0])

/* ---- values ---- */

/* Digits from *at on, at most `max`; *at then stands behind them. */
static bool read_number(const char **at, int64_t max, int64_t *ret)
{
        const char *begin = *at;
        int64_t number = 0;

        for (; **at >= '0' && **at <= '9'; ++*at) {
                int digit = **at - '0';

                if (number > (max - digit) / 10)
                        return false;
                number = 10 * number + digit;
        }
        *ret = number;
        return *at > begin;
}

static const struct {
        const char *word;
        int64_t ms;
} units[] = {{"ms", 1}, {"s", SECOND}, {"m", MINUTE}, {"h", HOUR}};

#define UNITS (sizeof units / sizeof units[0])

/* Up to `most` durations with commas between; how many there were, 0: something else is there. */
static int read_durations(const char *at, const struct setting *s, int most, int64_t *to)
{
        for (int n = 0; n < most && read_number(&at, s->max, &to[n]); at++) {
                size_t i = 0, length = strcspn(at, ",");

                while (i < UNITS &&
                       (strlen(units[i].word) != length || strncmp(at, units[i].word, length) != 0))
                        i++;
                if (i == UNITS || to[n] > s->max / units[i].ms || to[n] * units[i].ms < s->min)
                        return 0;
                to[n++] *= units[i].ms;
                at += length;
                if (*at == '\0')
                        return n;
        }
        return 0;
}

static void duration_write(int64_t ms, FILE *to)
{
        size_t i = UNITS - 1;

        while (i > 0 && ms % units[i].ms != 0)
                i--;
        fprintf(to, "%lld%s", (long long)(ms / units[i].ms), units[i].word);
}

/* ---- the environment ---- */

/* A file's content without the newline at its end; NULL, and what is wrong with it, where there is none. */
static char *read_file(const char *path, const char **ret_wrong)
{
        CLEAN(secret_free_at) char *text = calloc(1, SECRET_MAX + 3);
        FILE *file = fopen(path, "re");
        size_t n = file && text ? fread(text, 1, SECRET_MAX + 2, file) : 0;

        *ret_wrong = !file || !text || ferror(file) ? strerror(errno)
                     : memchr(text, '\0', n)        ? "not a text"
                                                    : NULL;
        if (file)
                fclose(file);
        if (*ret_wrong)
                return NULL;
        if (n > 0 && text[n - 1] == '\n')
                text[--n] = '\0';
        if (n > 0 && text[n - 1] == '\r')
                text[--n] = '\0';
        return TAKE(text);
}

static const char *variable(const struct setting *s, const char *suffix)
{
        char name[64];
        const char *value;

        snprintf(name, sizeof name, PREFIX "%s%s", s->name, suffix);
        value = getenv(name);
        return value && *value ? value : NULL;
}

/* What the setting is set to, or its default; *ret stays NULL where it has none. False after a complaint. */
static bool find_value(const struct setting *s, char **ret, FILE *errors)
{
        const char *value = variable(s, ""), *path = s->type == SECRET ? variable(s, "_FILE") : NULL, *wrong;

        if (value && path) {
                fprintf(errors, PREFIX "%s: " PREFIX "%s_FILE is set too\n", s->name, s->name);
                return false;
        }
        if (path) {
                *ret = read_file(path, &wrong);
                if (!*ret)
                        fprintf(errors, PREFIX "%s_FILE: cannot be read: %s\n", s->name, wrong);
                return *ret;
        }
        value = value ? value : s->standard;
        if (!value)
                return true;
        if (!*value) {
                fprintf(errors, PREFIX "%s: is required\n", s->name);
                return false;
        }
        *ret = strdup(value);
        if (!*ret)
                fprintf(errors, PREFIX "%s: out of memory\n", s->name);
        return *ret;
}

/* `5 to 10 characters` */
static void range_write(const struct setting *s, FILE *to)
{
        long long min = s->min, max = s->max;

        switch (s->type) {
        case TEXT:
        case SECRET: fprintf(to, "%lld to %lld characters", min, max); break;
        case INTEGER: fprintf(to, "a whole number from %lld to %lld", min, max); break;
        case DURATION:
        case DURATIONS:
                fputs(s->type == DURATION ? "a duration from " : "1 to 8 durations with commas, each from ",
                      to);
                duration_write(s->min, to);
                fputs(" to ", to);
                duration_write(s->max, to);
        }
}

static void *field_of(struct config *config, const struct setting *s)
{
        return (char *)config + s->at;
}

/* Puts the value into its field; a text is taken over. False when it is not what the table asks for. */
static bool store_value(const struct setting *s, char **value, struct config *config)
{
        const char *at = *value;
        int64_t n = (int64_t)strlen(at), *number = field_of(config, s);

        switch (s->type) {
        case TEXT:
        case SECRET:
                if (n < s->min || n > s->max)
                        return false;
                *(char **)field_of(config, s) = TAKE(*value);
                return true;
        case INTEGER: return read_number(&at, s->max, number) && !*at && *number >= s->min;
        case DURATION: return read_durations(at, s, 1, number) == 1;
        case DURATIONS: config->n_retries = read_durations(at, s, RETRIES_MAX, number); break;
        }
        return config->n_retries > 0;
}

static bool read_setting(const struct setting *s, struct config *config, FILE *errors)
{
        CLEAN(secret_free_at) char *value = NULL;
        const char *wrong;

        if (!find_value(s, &value, errors))
                return false;
        if (!value)
                return true;
        wrong = s->wrong ? s->wrong(value) : NULL;
        if (!wrong && store_value(s, &value, config))
                return true;
        fprintf(errors, PREFIX "%s: %s", s->name, wrong ? wrong : "must be ");
        if (!wrong)
                range_write(s, errors);
        fputc('\n', errors);
        return false;
}

/* Whether `variable`, which stands behind PREFIX, sets a setting, or a secret by _FILE. */
static bool is_setting(const char *variable)
{
        for (size_t i = 0; i < COUNT; i++) {
                size_t n = strlen(settings[i].name);

                if (strncmp(variable, settings[i].name, n) == 0 &&
                    (variable[n] == '=' ||
                     (settings[i].type == SECRET && strncmp(variable + n, "_FILE=", 6) == 0)))
                        return true;
        }
        return false;
}

/* A typo must not pass in silence. */
static int complain_of_unknown(FILE *errors)
{
        int count = 0;

        for (char **at = environ; *at; at++) {
                const char *name = *at + strlen(PREFIX);

                if (strncmp(*at, PREFIX, strlen(PREFIX)) != 0 || is_setting(name))
                        continue;
                fprintf(errors, PREFIX "%.*s: no such setting\n", (int)strcspn(name, "="), name);
                count++;
        }
        return count;
}

int config_read(struct config *ret, FILE *errors)
{
        struct config config = {0};
        int count = complain_of_unknown(errors);

        for (size_t i = 0; i < COUNT; i++)
                if (!read_setting(&settings[i], &config, errors))
                        count++;
        if (count > 0)
                config_done(&config);
        else
                *ret = config;
        return count;
}

/* One setting alone, or its default; NULL after a complaint. */
static char *read_alone(size_t at, FILE *errors)
{
        struct config config = {0};
        const struct setting *s = settings;

        while (s->at != at)
                s++;
        read_setting(s, &config, errors);
        return *(char **)field_of(&config, s);
}

char *config_store(FILE *errors)
{
        return read_alone(FIELD(store), errors);
}

char *config_secret_key(FILE *errors)
{
        return read_alone(FIELD(secret_key), errors);
}

char *config_ops_listen(FILE *errors)
{
        return read_alone(FIELD(ops_listen), errors);
}

void config_done(struct config *config)
{
        for (size_t i = 0; i < COUNT; i++)
                if (settings[i].type == TEXT || settings[i].type == SECRET)
                        secret_free(*(char **)field_of(config, &settings[i]));
        *config = (struct config){0};
}

/* ---- what people read ---- */

void config_help(FILE *to)
{
        for (size_t i = 0; i < COUNT; i++) {
                const struct setting *s = &settings[i];

                fprintf(to, PREFIX "%s=%s\n    %s (", s->name, s->standard ? s->standard : "", s->sentence);
                range_write(s, to);
                fprintf(to, "%s%s)\n", s->standard && !*s->standard ? "; required" : "",
                        s->type == SECRET ? "; or a file's path in the name with _FILE" : "");
        }
}

bool config_store_is_file(const struct config *config)
{
        return strncmp(config->store, "sqlite:", 7) == 0;
}

/* A store's URI may hold a password, its path is no secret. */
static bool may_be_shown(const struct config *config, const struct setting *s)
{
        return s->at == FIELD(store) && config_store_is_file(config);
}

static void value_write(struct config *config, const struct setting *s, FILE *to)
{
        const void *field = field_of(config, s);
        const char *text;

        switch (s->type) {
        case TEXT:
                text = *(char *const *)field;
                fputs(text ? text : "", to);
                break;
        case SECRET:
                text = *(char *const *)field;
                fputs(!text ? "" : may_be_shown(config, s) ? text : "***", to);
                break;
        case INTEGER: fprintf(to, "%lld", (long long)*(const int64_t *)field); break;
        case DURATION: duration_write(*(const int64_t *)field, to); break;
        case DURATIONS:
                for (int i = 0; i < config->n_retries; i++) {
                        fputs(i > 0 ? "," : "", to);
                        duration_write(config->retry_ms[i], to);
                }
        }
}

void config_write(const struct config *config, const char *name, FILE *to)
{
        struct config copy = *config;

        for (size_t i = 0; i < COUNT; i++)
                if (streq(settings[i].name, name))
                        value_write(&copy, &settings[i], to);
}

void config_show(const struct config *config, FILE *to)
{
        struct config copy = *config;

        for (size_t i = 0; i < COUNT; i++) {
                fprintf(to, PREFIX "%s=", settings[i].name);
                value_write(&copy, &settings[i], to);
                fputc('\n', to);
        }
}

void config_show_set(const struct config *config, FILE *to)
{
        struct config copy = *config;
        const char *gap = "";

        for (size_t i = 0; i < COUNT; i++) {
                if (!variable(&settings[i], "") && !variable(&settings[i], "_FILE"))
                        continue;
                fprintf(to, "%s%s=", gap, settings[i].name);
                value_write(&copy, &settings[i], to);
                gap = " ";
        }
}
