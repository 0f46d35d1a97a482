/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_courier.c - what a courier firm is sent, member by member, by whom it is signed, and when. */
#include "model/clean.h"
#include "model/dialect.h"
#include "model/integration.h"
#include "tests/unit/records.h"

#define MINUTE_MS INT64_C(60000)
#define ORDER_ID "507f1f77bcf86cd799439012"

static const struct dialect *const dialect = &dialect_courier;
static char url[] = "https://kurye.example/siparis";
static char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static char older[] = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

static const struct step *dispatch_step(void)
{
        return dialect_step(dialect, STEP_OF(STATUS_ACCEPTED));
}

static const struct step *cancel_step(void)
{
        return dialect_step(dialect, STEP_OF(STATUS_CANCELLED));
}

/* The example of the courier firms' integration page, as it came in. */
/* clang-format off */ /* its versions count the width of Turkish letters differently */
#define EXAMPLE                                                                                             \
        "{'platform':'yemeksepeti','platformOrderId':'k7','platformRef':{'callbackUrls':{}},'price':125.5," \
        "'paymentMethod':'card','originalPaymentMethod':'Kapıda Kredi/Banka Kartı',"                      \
        "'hazirlanmaSuresiDk':15,'badges':['Temassız Teslimat'],'orderNote':'İnce hamur olsun lütfen',"  \
        "'courierNote':'Kapı kodu: 1234','items':[{'name':'Pide','quantity':1}],'customer':" CUSTOMER "}"
#define CUSTOMER                                                                                            \
        "{'address':{'district':'Kadıköy','city':'İstanbul','neighborhood':'Fenerbahçe',"               \
        "'street':'Bağdat Caddesi','buildingNo':'123','floor':'4','apartmentNo':'8',"                      \
        "'detailedAddress':'Bağdat Caddesi No: 123, Kat: 4, Daire: 8, Fenerbahçe, Kadıköy, İstanbul'," \
        "'directions':'Kapı kodu: 1234','location':{'latitude':40.9857,'longitude':29.0347}},"             \
        "'details':{'name':'Ahmet Yılmaz','phone':'+905551234567'}}"
#define SENT                                                                                          \
        "{'kuzeyOrderId':'507f1f77bcf86cd799439012','restaurantId':'507f1f77bcf86cd799439011',"       \
        "'platform':'yemeksepeti','status':'hazirlanacak','orderType':'paket_servis',"                \
        "'createdAt':'2024-11-07T10:30:00.000Z','paymentMethod':'card',"                              \
        "'originalPaymentMethod':'Kapıda Kredi/Banka Kartı','price':125.5,'hazirlanmaSuresiDk':15," \
        "'badges':['Temassız Teslimat'],'orderNote':'İnce hamur olsun lütfen',"                    \
        "'courierNote':'Kapı kodu: 1234','customer':" CUSTOMER "}"
/* clang-format on */

/* As order_read() takes it, with what a store would add. */
static struct order *an_order(const char *text)
{
        CLEAN(json_put_at) struct json_object *body = parse(text);
        struct view view = view_of(body);
        struct order *order = NULL;
        struct why why = {0};

        if (order_read(&view, &order, &why))
                fail_msg("%s: %s", why.field, why.text);
        order->id = read_id(ORDER_ID);
        order->restaurant = read_id(OWN_ID);
        assert_true(time_read("2024-11-07T10:30:00Z", &order->created_ms));
        order->targets[PARTY_COURIER] =
                (struct target){.want = STEP_OF(order->status), .firm = read_id(OWN_ID), .calls = 1};
        return order;
}

static struct message built(const struct order *order, const struct step *step,
                            const struct dispatch *dispatch)
{
        struct account account = {.url = dispatch->url, .dispatch = dispatch};
        struct message m = {0};

        assert_int_equal(dialect->build(order, step, &account, &m, NULL), ERR_OK);
        return m;
}

static struct json_object *sent(const struct order *order, const struct step *step)
{
        struct dispatch dispatch = {.url = url, .secrets = {secret}, .now_ms = NOW_MS};
        CLEAN(message_done) struct message m = built(order, step, &dispatch);
        struct json_object *body = NULL;

        assert_int_equal(json_read(m.body, strlen(m.body), &body, NULL), ERR_OK);
        return body;
}

/* What stands behind `name: `; NULL: no such header. */
static const char *header(const struct message *m, const char *name)
{
        const size_t n = strlen(name);

        for (int i = 0; i < m->n_headers; i++)
                if (strncmp(m->headers[i], name, n) == 0 && strncmp(m->headers[i] + n, ": ", 2) == 0)
                        return m->headers[i] + n + 2;
        return NULL;
}

/* ---- the payload ---- */

TEST(the_pages_example_goes_out_member_by_member)
{
        CLEAN(order_free_at) struct order *order = an_order(EXAMPLE);

        assert_shown(sent(order, dispatch_step()), SENT);
}

/* Whether each member of `wanted` is there, whatever it says, and no other. */
static void assert_same_keys(struct json_object *wanted, struct json_object *body)
{
        struct json_object_iterator at = json_object_iter_begin(wanted), end = json_object_iter_end(wanted);

        assert_int_equal(json_object_object_length(body), json_object_object_length(wanted));
        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
                const char *key = json_object_iter_peek_name(&at);
                struct json_object *value = NULL, *part = json_object_iter_peek_value(&at);

                assert_case(json_object_object_get_ex(body, key, &value), key);
                if (json_object_is_type(part, json_type_object) && !streq(key, "location"))
                        assert_same_keys(part, value);
        }
}

TEST(what_the_order_lacks_is_null_and_never_left_out)
{
        CLEAN(order_free_at)
        struct order *order =
                an_order("{'platform':'phone','price':1,'paymentMethod':'cash','customer':{'details':{"
                         "'name':'A','phone':'1'},'address':{'detailedAddress':'B'}}}");
        CLEAN(json_put_at) struct json_object *body = sent(order, dispatch_step());
        CLEAN(json_put_at) struct json_object *wanted = parse(SENT);
        struct json_object *at = NULL;

        assert_same_keys(wanted, body);
        assert_int_equal(json_pointer_get(body, "/customer/address/location", &at), 0);
        assert_null(at);
        assert_int_equal(json_pointer_get(body, "/orderNote", &at), 0);
        assert_null(at);
        assert_int_equal(json_pointer_get(body, "/badges", &at), 0);
        assert_int_equal(json_object_array_length(at), 0);
}

#define PHONE_64 "+90 555 123 45 67,,0123456789 dahili 0123456789 0123456789 01234"
#define LETTERS "ığüşöçİĞÜŞÖÇ \xf0\x9f\x8d\x95\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x8d\xb3 \\\" \\\\ / \\n"

TEST(letters_emoji_and_long_phones_arrive_as_they_are)
{
        CLEAN(order_free_at)
        struct order *order =
                an_order("{'platform':'phone','price':0.01,'paymentMethod':'cash','orderNote':'" LETTERS
                         "','customer':{'details':{'name':'" LETTERS "','phone':'" PHONE_64
                         "'},'address':{'detailedAddress':'" LETTERS "'}}}");
        CLEAN(json_put_at) struct json_object *body = sent(order, dispatch_step());
        CLEAN(json_put_at) struct json_object *wanted = parse("{'l':'" LETTERS "','p':'" PHONE_64 "'}");
        static const char *const at[][2] = {{"/orderNote", "l"},
                                            {"/customer/details/name", "l"},
                                            {"/customer/details/phone", "p"},
                                            {"/customer/address/detailedAddress", "l"}};

        assert_int_equal(strlen(PHONE_64), 64);
        for (size_t i = 0; i < COUNT(at); i++) {
                struct json_object *value = NULL;

                assert_int_equal(json_pointer_get(body, at[i][0], &value), 0);
                assert_case(json_object_equal(value, json_object_object_get(wanted, at[i][1])), at[i][0]);
        }
}

TEST(it_says_how_the_order_stands_now)
{
        CLEAN(order_free_at) struct order *order = an_order(EXAMPLE);
        CLEAN(json_put_at) struct json_object *ready = NULL;
        CLEAN(json_put_at) struct json_object *cancelled = NULL;

        order->status = STATUS_READY;
        order->prep_minutes = 40;
        ready = sent(order, dispatch_step());
        assert_string_equal(json_get_text(ready, "status"), "hazir");
        assert_int_equal(json_get_int(ready, "hazirlanmaSuresiDk", 0), 40);
        order->status = STATUS_CANCELLED;
        cancelled = sent(order, cancel_step());
        assert_string_equal(json_get_text(cancelled, "status"), "cancelled");
        json_object_object_del(cancelled, "status");
        assert_true(json_object_object_length(cancelled) == 13);
}

/* ---- where to, and by whom ---- */

TEST(it_goes_where_the_firm_said_with_the_firms_headers)
{
        static char headers[] = "{\"Authorization\":\"Bearer susam\",\"X-Sube\":\"5\"}";
        struct dispatch dispatch = {
                .url = url, .headers = headers, .secrets = {secret}, .now_ms = INT64_C(1730817000999)};
        CLEAN(order_free_at) struct order *order = an_order(EXAMPLE);
        CLEAN(message_done) struct message first = built(order, dispatch_step(), &dispatch);
        CLEAN(message_done) struct message second = {0};

        assert_string_equal(first.method, "POST");
        assert_string_equal(first.url, url);
        assert_true(first.guarded);
        assert_int_equal(first.n_headers, 6);
        assert_string_equal(header(&first, "Authorization"), "Bearer susam");
        assert_string_equal(header(&first, "X-Sube"), "5");
        assert_string_equal(header(&first, "Content-Type"), "application/json");
        assert_string_equal(header(&first, "webhook-id"), ORDER_ID "-courier-1-dispatch");
        assert_string_equal(header(&first, "webhook-timestamp"), "1730817000");
        order->targets[PARTY_COURIER].calls = 12;
        second = built(order, cancel_step(), &dispatch);
        assert_string_equal(header(&second, "webhook-id"), ORDER_ID "-courier-12-dispatch-cancel");
}

TEST(a_repeat_has_the_same_id_and_body_but_its_own_time)
{
        struct dispatch dispatch = {.url = url, .secrets = {secret}, .now_ms = NOW_MS};
        CLEAN(order_free_at) struct order *order = an_order(EXAMPLE);
        CLEAN(message_done) struct message first = built(order, dispatch_step(), &dispatch);
        CLEAN(message_done) struct message again = {0};

        dispatch.now_ms += 25000;
        again = built(order, dispatch_step(), &dispatch);
        assert_string_equal(first.body, again.body);
        assert_string_equal(header(&first, "webhook-id"), header(&again, "webhook-id"));
        assert_string_not_equal(header(&first, "webhook-timestamp"), header(&again, "webhook-timestamp"));
        assert_string_not_equal(header(&first, "webhook-signature"), header(&again, "webhook-signature"));
}

/* The test vector of the Standard Webhooks project. */
#define VECTOR_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static char *signatures(char *first, char *second)
{
        struct dispatch dispatch = {.secrets = {first, second}, .now_ms = INT64_C(1614265330000)};
        CLEAN(message_done) struct message m = {.body = strdup("{\"test\": 2432232314}")};

        assert_int_equal(dispatch_sign(&dispatch, "msg_p5jXN8AQM9LWM0D4loKWxJek", &m, NULL), ERR_OK);
        assert_string_equal(header(&m, "webhook-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_string_equal(header(&m, "webhook-timestamp"), "1614265330");
        return strdup(header(&m, "webhook-signature"));
}

TEST(it_is_signed_as_standard_webhooks_has_it)
{
        CLEAN(free_at) char *one = signatures(secret, NULL);
        CLEAN(free_at) char *two = signatures(older, secret);

        assert_string_equal(one, VECTOR_SIGNATURE);
        /* By a second implementation: Python's hmac. */
        assert_string_equal(two, "v1,hK4CWvngkaAwjY1pABLuUbOIkEJjW9tAapq1no4ojG0= " VECTOR_SIGNATURE);
}

TEST(what_is_no_secret_signs_nothing)
{
        static char bad[][48] = {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!"};

        for (size_t i = 0; i < COUNT(bad); i++) {
                struct dispatch dispatch = {.secrets = {bad[i]}, .now_ms = NOW_MS};
                CLEAN(message_done) struct message m = {.body = strdup("{}")};
                struct why why = {0};

                assert_field(dispatch_sign(&dispatch, "id", &m, &why), &why, "signingSecret");
                assert_int_equal(m.n_headers, 0);
        }
}

/* ---- when ---- */

TEST(a_courier_is_called_until_the_order_is_on_its_way)
{
        CLEAN(order_free_at) struct order *order = an_order(EXAMPLE);

        for (enum status status = STATUS_ACCEPTED; status < STATUS_COUNT; status++) {
                order->status = status;
                assert_int_equal(dialect->asks(order, dispatch_step()), status <= STATUS_READY);
        }
}

TEST(no_courier_is_called_for_what_another_fetches)
{
        CLEAN(order_free_at) struct order *order = an_order(EXAMPLE);

        assert_true(dialect->asks(order, dispatch_step()));
        order->pickup = true;
        assert_false(dialect->asks(order, dispatch_step()));
        order->pickup = false;
        order->platform_courier = true;
        assert_false(dialect->asks(order, dispatch_step()));
        order->platform_courier = false;
        order->targets[PARTY_COURIER].firm = (struct id){{0}};
        assert_false(dialect->asks(order, dispatch_step()));
}

TEST(a_cancel_is_told_to_whom_the_order_may_have_been_told)
{
        CLEAN(order_free_at) struct order *order = an_order(EXAMPLE);
        struct target *target = &order->targets[PARTY_COURIER];

        order->status = STATUS_CANCELLED;
        assert_false(dialect->asks(order, cancel_step()));
        target->unsure = true;
        assert_true(dialect->asks(order, cancel_step()));
        target->unsure = false;
        target->told = STEP_OF(STATUS_ACCEPTED);
        assert_true(dialect->asks(order, cancel_step()));
        target->firm = (struct id){{0}};
        assert_false(dialect->asks(order, cancel_step()));
}

TEST(for_a_scheduled_order_a_courier_is_called_in_time)
{
        CLEAN(order_free_at) struct order *order = an_order(EXAMPLE);

        assert_int_equal(dialect->not_before(order, dispatch_step()), 0);
        order->scheduled_ms = NOW_MS;
        assert_int_equal(dialect->not_before(order, dispatch_step()), NOW_MS - 30 * MINUTE_MS);
        order->prep_minutes = 240;
        assert_int_equal(dialect->not_before(order, dispatch_step()), NOW_MS - 255 * MINUTE_MS);
        assert_int_equal(dialect->not_before(order, cancel_step()), 0);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_pages_example_goes_out_member_by_member),
                cmocka_unit_test(what_the_order_lacks_is_null_and_never_left_out),
                cmocka_unit_test(letters_emoji_and_long_phones_arrive_as_they_are),
                cmocka_unit_test(it_says_how_the_order_stands_now),
                cmocka_unit_test(it_goes_where_the_firm_said_with_the_firms_headers),
                cmocka_unit_test(a_repeat_has_the_same_id_and_body_but_its_own_time),
                cmocka_unit_test(it_is_signed_as_standard_webhooks_has_it),
                cmocka_unit_test(what_is_no_secret_signs_nothing),
                cmocka_unit_test(a_courier_is_called_until_the_order_is_on_its_way),
                cmocka_unit_test(no_courier_is_called_for_what_another_fetches),
                cmocka_unit_test(a_cancel_is_told_to_whom_the_order_may_have_been_told),
                cmocka_unit_test(for_a_scheduled_order_a_courier_is_called_in_time),
        };

        return cmocka_run_group_tests_name("dialect_courier", tests, NULL, NULL);
}
