/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - what the environment says is read as the table has it, and every mistake is told at once. */
#include "server/config.h"

#include "model/clean.h"
#include "model/text.h"
#include "server/listener.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define TOKEN "0123456789abcdef0123456789abcdef"

static struct config config;
static char *said;

/* No setting but the one that is required. The rest of the environment stays: cmocka has its own there. */
static int start_afresh(__attribute__((unused)) void **state)
{
        for (char **at = environ; *at;) {
                CLEAN(free_at) char *name = strndup(*at, strcspn(*at, "="));

                assert_non_null(name);
                if (strncmp(name, "KURYE_", 6) == 0)
                        unsetenv(name);
                else
                        at++;
        }
        setenv("KURYE_SECRET_KEY", KEY, 1);
        return 0;
}

static int end(__attribute__((unused)) void **state)
{
        config_done(&config);
        free(said);
        said = NULL;
        return 0;
}

static int read_config(void)
{
        size_t size;
        FILE *errors;
        int count;

        config_done(&config);
        free(said);
        errors = open_memstream(&said, &size);
        assert_non_null(errors);
        count = config_read(&config, errors);
        fclose(errors);
        return count;
}

/* Sets one variable and reads; what was said about it, or "" where it was taken. */
static const char *complaint(const char *name, const char *value)
{
        setenv(name, value, 1);
        read_config();
        unsetenv(name);
        setenv("KURYE_SECRET_KEY", KEY, 1);
        return said;
}

TEST(defaults_stand_where_nothing_is_set)
{
        assert_int_equal(read_config(), 0);
        assert_string_equal(config.listen, "127.0.0.1:8080");
        assert_string_equal(config.ops_listen, "127.0.0.1:9090");
        assert_string_equal(config.store, "sqlite:kurye.db");
        assert_null(config.admin_token);
        assert_null(config.outbound_allow);
        assert_string_equal(config.secret_key, KEY);
        assert_int_equal(config.n_retries, 3);
        assert_int_equal(config.retry_ms[0], 1000);
        assert_int_equal(config.retry_ms[2], 25000);
        assert_int_equal(config.outbound_timeout_ms, 10000);
        assert_int_equal(config.request_deadline_ms, 5000);
        assert_int_equal(config.receive_deadline_ms, 30000);
        assert_int_equal(config.connections_max, 12000);
        assert_int_equal(config.retention_days, 30);
        assert_string_equal(config.log_level, "info");
}

TEST(what_is_set_is_taken)
{
        setenv("KURYE_LISTEN", "[::1]:0", 1);
        setenv("KURYE_ADMIN_TOKEN", TOKEN, 1);
        setenv("KURYE_RETRY_SCHEDULE", "250ms,2m,1h", 1);
        setenv("KURYE_MAX_CONNECTIONS", "20", 1);
        setenv("KURYE_DUKKANGO_URL", "http://127.0.0.1:81/api", 1);
        setenv("KURYE_OUTBOUND_ALLOW", "10.0.0.0/8,fd00::/8", 1);
        setenv("KURYE_CONTACT", "Teknik destek: <destek@kurye.example>, 0850 ğüş", 1);
        assert_int_equal(read_config(), 0);
        assert_string_equal(config.listen, "[::1]:0");
        assert_string_equal(config.admin_token, TOKEN);
        assert_int_equal(config.retry_ms[0], 250);
        assert_int_equal(config.retry_ms[1], 120000);
        assert_int_equal(config.retry_ms[2], 3600000);
        assert_int_equal(config.connections_max, 20);
        assert_string_equal(config.dukkango_url, "http://127.0.0.1:81/api");
        assert_string_equal(config.outbound_allow, "10.0.0.0/8,fd00::/8");
        assert_string_equal(config.contact, "Teknik destek: <destek@kurye.example>, 0850 ğüş");
}

TEST(an_empty_variable_counts_as_unset)
{
        setenv("KURYE_ADMIN_TOKEN", "", 1);
        setenv("KURYE_LISTEN", "", 1);
        assert_int_equal(read_config(), 0);
        assert_null(config.admin_token);
        assert_string_equal(config.listen, "127.0.0.1:8080");
}

TEST(what_is_wrong_is_refused_by_name)
{
        static const char *const wrong[][2] = {
                {"KURYE_LISTEN", "8080"},
                {"KURYE_LISTEN", "localhost"},
                {"KURYE_LISTEN", ":8080"},
                {"KURYE_LISTEN", "::1:8080"},
                {"KURYE_LISTEN", "[::1]8080"},
                {"KURYE_LISTEN", "[::1:8080"},
                {"KURYE_OPS_LISTEN", "127.0.0.1:65536"},
                {"KURYE_OPS_LISTEN", "127.0.0.1:-1"},
                {"KURYE_OPS_LISTEN", "127.0.0.1:80a"},
                {"KURYE_STORE", "mysql:x"},
                {"KURYE_STORE", "sqlite:"},
                {"KURYE_ADMIN_TOKEN", "0123456789abcdef0123456789abcde"},
                {"KURYE_SECRET_KEY", ""},
                {"KURYE_SECRET_KEY", "k1:short"},
                {"KURYE_RETRY_SCHEDULE", "1s,"},
                {"KURYE_RETRY_SCHEDULE", ",1s"},
                {"KURYE_RETRY_SCHEDULE", "1s 5s"},
                {"KURYE_RETRY_SCHEDULE", "1s,1s,1s,1s,1s,1s,1s,1s,1s"},
                {"KURYE_RETRY_SCHEDULE", "25h"},
                {"KURYE_OUTBOUND_TIMEOUT", "10"},
                {"KURYE_OUTBOUND_TIMEOUT", "s"},
                {"KURYE_OUTBOUND_TIMEOUT", "10d"},
                {"KURYE_OUTBOUND_TIMEOUT", "99ms"},
                {"KURYE_OUTBOUND_TIMEOUT", "121s"},
                {"KURYE_OUTBOUND_TIMEOUT", "1s,1s"},
                {"KURYE_OUTBOUND_TIMEOUT", "18446744073709551617ms"},
                {"KURYE_OUTBOUND_ALLOW", "10.0.0.0"},
                {"KURYE_OUTBOUND_ALLOW", "10.0.0.0/33"},
                {"KURYE_OUTBOUND_ALLOW", "localhost/8"},
                {"KURYE_RETENTION_DAYS", "0"},
                {"KURYE_MAX_CONNECTIONS", "15"},
                {"KURYE_MAX_CONNECTIONS", "1e3"},
                {"KURYE_MAX_CONNECTIONS", "-20"},
                {"KURYE_MAX_CONNECTIONS", "9999999999999999999999"},
                {"KURYE_DUKKANGO_URL", "ftp://host"},
                {"KURYE_DUKKANGO_URL", "https://"},
                {"KURYE_DUKKANGO_URL", "https:///path"},
                {"KURYE_DUKKANGO_URL", "https://user@host"},
                {"KURYE_DUKKANGO_URL", "https://host/"},
                {"KURYE_DUKKANGO_URL", "https://host?x"},
                {"KURYE_DUKKANGO_URL", "https://host#x"},
                {"KURYE_DUKKANGO_URL", "https://ho st"},
                {"KURYE_DUKKANGO_URL", "https://dükkan.go"},
                {"KURYE_LOG_LEVEL", "loud"},
                {"KURYE_CONTACT", "a@"},
                {"KURYE_CONTACT", "line\nline"},
                {"KURYE_CONTACT", "destek\x7f"},
                {"KURYE_CONTACT", "destek\xfc"},
        };

        for (size_t i = 0; i < COUNT(wrong); i++) {
                const char *text = complaint(wrong[i][0], wrong[i][1]);

                assert_case(strncmp(text, wrong[i][0], strlen(wrong[i][0])) == 0, wrong[i][1]);
                assert_case(strstr(text, ": ") && strchr(text, '\n') == text + strlen(text) - 1, wrong[i][1]);
        }
}

TEST(all_mistakes_are_told_at_once)
{
        setenv("KURYE_LISTEN", "x", 1);
        setenv("KURYE_MAX_CONNECTIONS", "x", 1);
        setenv("KURYE_LOG_LEVEL", "x", 1);
        assert_int_equal(read_config(), 3);
        assert_non_null(strstr(said, "KURYE_LISTEN: must be host:port"));
        assert_non_null(strstr(said, "KURYE_MAX_CONNECTIONS: must be a whole number from 16 to 1000000\n"));
        assert_non_null(strstr(said, "KURYE_LOG_LEVEL: must be debug"));
}

TEST(a_name_that_is_no_setting_is_refused)
{
        assert_string_equal(complaint("KURYE_LISTN", "127.0.0.1:1"), "KURYE_LISTN: no such setting\n");
        assert_string_equal(complaint("KURYE_LISTEN_FILE", "/x"), "KURYE_LISTEN_FILE: no such setting\n");
        assert_string_equal(complaint("KURYE_", "x"), "KURYE_: no such setting\n");
        assert_string_equal(complaint("KURYER", "x"), "");
}

TEST(a_secret_is_never_shown)
{
        char *shown;
        size_t size;
        FILE *to;

        assert_null(strstr(complaint("KURYE_SECRET_KEY", "k1:verysecretindeed"), "verysecret"));
        assert_null(strstr(complaint("KURYE_ADMIN_TOKEN", "tooshortsecret"), "tooshort"));
        setenv("KURYE_ADMIN_TOKEN", TOKEN, 1);
        assert_int_equal(read_config(), 0);
        to = open_memstream(&shown, &size);
        assert_non_null(to);
        config_show(&config, to);
        fclose(to);
        assert_null(strstr(shown, TOKEN));
        assert_null(strstr(shown, KEY));
        assert_non_null(strstr(shown, "KURYE_ADMIN_TOKEN=***\n"));
        assert_non_null(strstr(shown, "KURYE_RETRY_SCHEDULE=1s,5s,25s\n"));
        assert_non_null(strstr(shown, "KURYE_OUTBOUND_TIMEOUT=10s\n"));
        free(shown);
}

/* All settings as they are shown, with this store; the caller frees. */
static char *show_with_store(const char *where)
{
        char *shown;
        size_t size;
        FILE *to = open_memstream(&shown, &size);

        assert_non_null(to);
        setenv("KURYE_STORE", where, 1);
        assert_int_equal(read_config(), 0);
        config_show(&config, to);
        fclose(to);
        return shown;
}

TEST(of_a_store_only_a_path_is_shown)
{
        CLEAN(free_at) char *path = show_with_store("sqlite:/var/lib/kurye.db");
        CLEAN(free_at) char *uri = NULL;

        assert_true(config_store_is_file(&config));
        assert_non_null(strstr(path, "KURYE_STORE=sqlite:/var/lib/kurye.db\n"));
        uri = show_with_store("mongodb://kurye:verysecret@db.test/kurye");
        assert_false(config_store_is_file(&config));
        assert_non_null(strstr(uri, "KURYE_STORE=***\n"));
        assert_null(strstr(complaint("KURYE_STORE", "mongodb://kurye:verysecret@db.test/"), "verysecret"));
}

/* Writes a file and names it as the secret's. */
static void set_file(char path[32], const void *bytes, size_t n)
{
        int fd;

        text_copy(path, 32, "/tmp/kuryed-config-XXXXXX");
        fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, n), n);
        close(fd);
        setenv("KURYE_ADMIN_TOKEN_FILE", path, 1);
}

TEST(a_secret_may_stand_in_a_file)
{
        char path[32];

        set_file(path, TOKEN "\n", sizeof TOKEN);
        assert_int_equal(read_config(), 0);
        assert_string_equal(config.admin_token, TOKEN);
        setenv("KURYE_ADMIN_TOKEN", TOKEN, 1);
        assert_int_equal(read_config(), 1);
        assert_non_null(strstr(said, "KURYE_ADMIN_TOKEN_FILE is set too"));
        unsetenv("KURYE_ADMIN_TOKEN");
        unlink(path);
        assert_int_equal(read_config(), 1);
        assert_non_null(strstr(said, "KURYE_ADMIN_TOKEN_FILE: cannot be read"));
}

TEST(a_file_that_is_no_text_or_too_long_is_refused)
{
        static char huge[10000];
        char path[32];

        memset(huge, 'x', sizeof huge);
        set_file(path, huge, sizeof huge);
        assert_int_equal(read_config(), 1);
        unlink(path);
        set_file(path, TOKEN "\0x", sizeof TOKEN + 1);
        assert_int_equal(read_config(), 1);
        unlink(path);
        set_file(path, "\n", 1);
        assert_int_equal(read_config(), 1);
        unlink(path);
}

TEST(the_table_is_its_own_documentation)
{
        char *help;
        size_t size;
        FILE *to = open_memstream(&help, &size);

        assert_non_null(to);
        config_help(to);
        fclose(to);
        assert_non_null(strstr(help, "KURYE_LISTEN=127.0.0.1:8080\n"));
        assert_non_null(strstr(help, "a duration from 100ms to 10m"));
        assert_non_null(strstr(help, "required"));
        free(help);
}

TEST(an_address_has_a_host_and_a_port)
{
        char host[HOST_SIZE], port[PORT_SIZE], long_host[HOST_SIZE + 8];

        assert_true(listener_read("localhost:0", host, port));
        assert_string_equal(host, "localhost");
        assert_string_equal(port, "0");
        assert_true(listener_read("[::]:65535", host, port));
        assert_string_equal(host, "::");
        assert_string_equal(port, "65535");
        assert_false(listener_read("", host, port));
        assert_false(listener_read("[", host, port));
        assert_false(listener_read("[]:1", host, port));
        assert_false(listener_read("a:000001", host, port));
        memset(long_host, 'a', sizeof long_host);
        memcpy(long_host + HOST_SIZE, ":1", 3);
        assert_false(listener_read(long_host, host, port));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(defaults_stand_where_nothing_is_set, start_afresh, end),
                cmocka_unit_test_setup_teardown(what_is_set_is_taken, start_afresh, end),
                cmocka_unit_test_setup_teardown(an_empty_variable_counts_as_unset, start_afresh, end),
                cmocka_unit_test_setup_teardown(what_is_wrong_is_refused_by_name, start_afresh, end),
                cmocka_unit_test_setup_teardown(all_mistakes_are_told_at_once, start_afresh, end),
                cmocka_unit_test_setup_teardown(a_name_that_is_no_setting_is_refused, start_afresh, end),
                cmocka_unit_test_setup_teardown(a_secret_is_never_shown, start_afresh, end),
                cmocka_unit_test_setup_teardown(of_a_store_only_a_path_is_shown, start_afresh, end),
                cmocka_unit_test_setup_teardown(a_secret_may_stand_in_a_file, start_afresh, end),
                cmocka_unit_test_setup_teardown(a_file_that_is_no_text_or_too_long_is_refused, start_afresh,
                                                end),
                cmocka_unit_test(the_table_is_its_own_documentation),
                cmocka_unit_test(an_address_has_a_host_and_a_port),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
