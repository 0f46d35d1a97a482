/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_yemeksepeti.c - Delivery Hero's POS middleware, which is how YemekSepeti's orders are answered.
 *
 * Sources: the middleware's OpenAPI file and the plugin's, and a Turkish order as one came in. Each order brings the URLs
 * that its steps are posted to; nothing is put together here. There is no call for "delivered", and no read of one order
 * that a restaurant's account could make, so the repeat of a call whose answer was lost is sent, and judged by
 * INVALID_ORDER_STATUS. The older SOAP service and Delivery Hero's shop API are other platforms. */
#include "model/clean.h"
#include "model/dialect.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/param.h>
#include <time.h>

enum { LOGIN_URL, USERNAME, PASSWORD };
static const char *const credentials[] = {"loginUrl", "username", "password", NULL};

/* `path` is the member of callbackUrls that has the URL. */
static const struct step steps[] = {{STEP_OF(STATUS_ACCEPTED), "accept", "orderAcceptedUrl"},
                                    {STEP_OF(STATUS_READY), "ready", "orderPreparedUrl"},
                                    {STEP_OF(STATUS_ON_THE_WAY), "on-the-way", "orderPickedUpUrl"},
                                    {STEP_OF(STATUS_CANCELLED), "cancel", "orderRejectedUrl"},
                                    {0, NULL, NULL}};

static const struct meaning meanings[] = {{400, VERDICT_GIVE_UP, "bad_request", false},
                                          {409, VERDICT_GIVE_UP, "conflict", false},
                                          {0, VERDICT_COUNT, NULL, false}};

/* The texts are ours. UNSURE: after the accept only nine of them are taken, as a client of the sister platform has it; for
 * Turkey nobody says so. The platform is left to refuse. */
static const struct reason reasons[] = {
        {"ADDRESS_INCOMPLETE_MISSTATED", "Adres eksik veya yanlış", false},
        {"BAD_WEATHER", "Kötü hava", false},
        {"BLACKLISTED", "Müşteri kara listede", false},
        {"CARD_READER_NOT_AVAILABLE", "Kart okuyucu yok", false},
        {"CLOSED", "Restoran kapalı", false},
        {"CONTENT_WRONG_MISLEADING", "Menü bilgisi yanlış veya yanıltıcı", false},
        {"FOOD_QUALITY_SPILLAGE", "Yemek bozuldu veya döküldü", false},
        {"FRAUD_PRANK", "Sahte sipariş", false},
        {"ITEM_UNAVAILABLE", "Ürün tükendi", false},
        {"LATE_DELIVERY", "Teslimat gecikti", false},
        {"MENU_ACCOUNT_SETTINGS", "Menü veya hesap ayarları", false},
        {"MOV_NOT_REACHED", "Asgari tutarın altında", false},
        {"NO_COURIER", "Kurye yok", false},
        {"NO_PICKER", "Hazırlayacak kimse yok", false},
        {"NO_RESPONSE", "Yanıt alınamadı", false},
        {"OUTSIDE_DELIVERY_AREA", "Teslimat alanı dışında", false},
        {"TECHNICAL_PROBLEM", "Teknik sorun", false},
        {"TEST_ORDER", "Deneme siparişi", false},
        {"TOO_BUSY", "Yoğunluk nedeniyle", false},
        {"UNABLE_TO_FIND", "Adres bulunamıyor", false},
        {"UNABLE_TO_PAY", "Müşteri ödeyemiyor", false},
        {"UNPROFESSIONAL_BEHAVIOUR", "Uygunsuz davranış", false},
        {"WILL_NOT_WORK_WITH_PLATFORM", "Platformla çalışılmıyor", false},
        {"WRONG_ORDER_ITEMS_DELIVERED", "Yanlış ürün teslim edildi", false},
        {NULL, NULL, false}};

#define MINUTE_MS INT64_C(60000)
#define AHEAD_MS (3 * MINUTE_MS)     /* of acceptanceTime: two are documented, one is for the way */
#define ZONE_MS (3 * 60 * MINUTE_MS) /* Turkey's */
#define NOT_YET_MS INT64_C(10000)    /* "about every 10 s" */
#define URL_MAX 1024                 /* a guess: those seen have 150 */
#define DOMAIN "restaurant-partners.com"

/* ---- URLs that others give ---- */

/* Where the authority begins in an http or https URL; NULL: neither. */
static const char *authority_of(const char *url)
{
        return strncmp(url, "https://", 8) == 0 ? url + 8 : strncmp(url, "http://", 7) == 0 ? url + 7 : NULL;
}

/* As strict as to be read in one way only, ours: a host of letters, digits, dots and dashes, perhaps a port, a path. No
 * userinfo and no fragment. */
static bool is_url(const char *url)
{
        const char *at = authority_of(url);

        if (!at || !text_is_printable(url, 1, URL_MAX) || strpbrk(url, " \"<>\\^`{|}#") ||
            !isalnum((unsigned char)*at))
                return false;
        while (isalnum((unsigned char)*at) || *at == '.' || *at == '-')
                at++;
        if (*at == ':')
                for (at++; isdigit((unsigned char)*at);)
                        at++;
        return *at == '/';
}

/* Whether it is where the settings say that the platform is, be it a test host. `url` is_url(), as below. */
static bool is_configured(const char *url, const struct account *account)
{
        const char *host = authority_of(account->url);
        size_t own = (size_t)(host - account->url) + strcspn(host, "/");

        return strncasecmp(url, account->url, own) == 0 && url[own] == '/';
}

/* Whether it leads by https to the platform's domain; UNSURE that its orders name no other: those seen do not. */
static bool is_platforms(const char *url)
{
        static const char domain[] = "." DOMAIN;
        const char *host = authority_of(url);
        size_t length = strcspn(host, ":/"), tail = sizeof domain - 1;

        if (strncmp(url, "https:", 6) != 0)
                return false;
        return (length == tail - 1 && strncasecmp(host, DOMAIN, length) == 0) ||
               (length > tail && strncasecmp(host + length - tail, domain, tail) == 0);
}

/* Secrets go to these two places only. */
static enum err post_to(const char *url, const char *field, const struct account *account,
                        struct message *ret, struct why *why)
{
        bool trusted = is_url(url) && is_configured(url, account);

        if (!trusted && !(is_url(url) && is_platforms(url)))
                return FAIL_FIELD(why, field, "not the platform's");
        ret->method = "POST";
        ret->guarded = !trusted;
        return message_url(ret, why, "%s", url);
}

static bool fits(const char *name, const char *value)
{
        return !streq(name, credentials[LOGIN_URL]) || is_url(value);
}

static enum err accepts(const char *platform_order_id, const struct view *ref, struct why *why)
{
        const char *id = platform_order_id;
        struct view urls;
        enum err e = view_opt_object(ref, "callbackUrls", &urls, why);

        if (!text_is_printable(id, 1, PLATFORM_ORDER_ID_MAX) || strchr(id, ' ') || streq(id, ".") ||
            streq(id, ".."))
                return FAIL_FIELD(why, "platformOrderId", "not a token");
        for (const struct step *s = steps; !e && s->number; s++) {
                const char *url = NULL;

                e = view_opt_text(&urls, s->path, 1, URL_MAX, &url, why);
                if (!e && url && !is_url(url))
                        e = view_fail(&urls, s->path, "not a URL that can be called", why);
        }
        return e;
}

/* The order's URL for the step; "": it has none. Errors: as dialect_ref(). */
static enum err find_url(const struct order *order, const struct step *step, char to[URL_MAX + 1],
                         struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct view ref, urls = {0};
        const char *url = "";
        enum err e = dialect_ref(order, &document, &ref, why);

        e = e ? e : view_opt_object(&ref, "callbackUrls", &urls, why);
        e = e ? e : view_opt_text(&urls, step->path, 1, URL_MAX, &url, why);
        if (!e)
                text_copy(to, URL_MAX + 1, url);
        return e;
}

/* Only the platform's rider waits for "prepared". What has no URL is not ours to say: without a direct integration the
 * order is accepted on the platform's own tablet. Where that cannot be seen (a list left the document out, no memory) it
 * counts as there. */
static bool asks(const struct order *order, const struct step *step)
{
        char url[URL_MAX + 1];

        if (step->number == STEP_OF(STATUS_READY) && !order->platform_courier)
                return false;
        return !order->document || find_url(order, step, url, NULL) || *url;
}

/* ---- login ---- */

static enum err login(const struct account *account, struct message *ret, struct why *why)
{
        enum err e = post_to(account->values[LOGIN_URL], "credentials.loginUrl", account, ret, why);

        return e ? e
                 : dialect_form(ret, why, "username=*&password=*&grant_type=client_credentials",
                                account->values[USERNAME], account->values[PASSWORD]);
}

static void judge_login(const struct view *answer, struct judgement *ret, char token[TOKEN_SIZE],
                        int64_t *ret_life_ms)
{
        int64_t life_s = 0;

        if (!view_opt_int(answer, "expires_in", 1, INT32_MAX, &life_s, NULL) && life_s > 0)
                dialect_take_token(answer, "access_token", life_s * 1000, ret, token, ret_life_ms);
}

/* ---- steps ---- */

/* RFC 3339, Turkey's offset: when the food is ready, or with the customer where the restaurant delivers. It counts from
 * the move that accepted (or went beyond), and is AHEAD_MS after the try that is due at least. Only an order whose turn
 * came later than that, by a backlog, is still too late: a pure function has no clock. */
static bool add_acceptance_time(const struct order *order, struct json_object *body)
{
        const struct move *accepted = order_last_move(order);
        char text[40];
        int64_t ms;
        time_t s;
        struct tm tm;

        for (int i = order->n_moves - 1; i >= 0 && order->moves[i].to >= STATUS_ACCEPTED; i--)
                accepted = &order->moves[i];
        ms = MAX(accepted->at_ms + order->prep_minutes * MINUTE_MS,
                 order->targets[PARTY_PLATFORM].at_ms + AHEAD_MS);
        s = (time_t)((ms + ZONE_MS) / 1000);
        if (!gmtime_r(&s, &tm) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+03:00", &tm) == 0)
                return false;
        return json_add_text(body, "acceptanceTime", text);
}

static enum err describe(const struct order *order, const struct step *step, struct json_object *body,
                         struct why *why)
{
        bool accept = step->number == STEP_OF(STATUS_ACCEPTED),
             cancel = step->number == STEP_OF(STATUS_CANCELLED);
        const char *word = accept ? "order_accepted" : cancel ? "order_rejected" : "order_picked_up";
        const struct move *last = order_last_move(order);
        enum err e;

        if (!body || !json_add_text(body, "status", word) ||
            (accept &&
             (!add_acceptance_time(order, body) || !json_add_id(body, "remoteOrderId", &order->id))))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        if (!cancel)
                return ERR_OK;
        e = dialect_reason(&dialect_yemeksepeti, order, body, "reason", why);
        if (!e && !json_add_text(body, "message", last->note ? last->note : json_get_text(body, "reason")))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        return e;
}

static enum err add_bearer(const struct account *account, struct message *m, struct why *why)
{
        char value[TOKEN_SIZE + sizeof "Bearer "];
        enum err e;

        snprintf(value, sizeof value, "Bearer %s", account->token);
        e = message_header(m, "Authorization", value, why);
        explicit_bzero(value, sizeof value);
        return e;
}

static enum err build(const struct order *order, const struct step *step, const struct account *account,
                      struct message *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        char url[URL_MAX + 1], field[64];
        enum err e = find_url(order, step, url, why);

        if (e)
                return e;
        snprintf(field, sizeof field, "platformRef.callbackUrls.%s", step->path);
        e = post_to(url, field, account, ret, why);
        e = e ? e : add_bearer(account, ret, why);
        if (e || step->number == STEP_OF(STATUS_READY))
                return e;
        e = describe(order, step, body, why);
        return e ? e : dialect_body(ret, body, why);
}

/* ---- answers ---- */

/* The platform has the order between two hands and will take the accept a little later. It says to ask for 5 minutes; how
 * long it goes on here is target_settle()'s to say. */
static bool is_not_yet(const struct view *said)
{
        const char *state = NULL;

        return !view_opt_text(said, "currentState", 0, 64, &state, NULL) &&
               (streq(state, "ASSIGNED_TO_TRANSPORT") || streq(state, "WAITING_FOR_ACKNOWLEDGEMENT"));
}

static void judge_step(const struct order *order, const struct step *step, bool unsure,
                       const struct answer *answer, struct judgement *ret)
{
        CLEAN(json_put_at) struct json_object *document = dialect_document(answer);
        struct view said = view_of(document);
        const char *code = NULL;

        (void)order;
        if (!document)
                return;
        if (answer->http == 409 && step->number == STEP_OF(STATUS_ACCEPTED) && is_not_yet(&said)) {
                judge(ret, VERDICT_WAIT, "not_yet");
                ret->wait_ms = NOT_YET_MS;
        } else if (answer->http == 400 && !view_opt_text(&said, "code", 0, 64, &code, NULL)) {
                if (streq(code, "ORDER_NOT_FOUND"))
                        judge(ret, VERDICT_GIVE_UP, "not_found");
                else if (streq(code, "INVALID_ORDER_STATUS"))
                        judge(ret, unsure ? VERDICT_DONE : VERDICT_GIVE_UP,
                              unsure ? "already_there" : "transition_refused");
        }
}

const struct dialect dialect_yemeksepeti = {
        .platform = PLATFORM_YEMEKSEPETI,
        .credentials = credentials,
        .keeps = "callbackUrls",
        .steps = steps,
        .other_reason = "TECHNICAL_PROBLEM",
        .reasons = reasons,
        .fits = fits,
        .asks = asks,
        .meanings = meanings,
        .accepts = accepts,
        .login = login,
        .judge_login = judge_login,
        .build = build,
        .judge = judge_step,
};
