import pytest
from django.db import connection


@pytest.mark.django_db
def test_the_tests_have_a_postgresql_of_their_own():
    with connection.cursor() as cursor:
        cursor.execute("SHOW listen_addresses")
        assert cursor.fetchone() == ("",)
    assert connection.settings_dict["NAME"].startswith("test_kappaweb_")
