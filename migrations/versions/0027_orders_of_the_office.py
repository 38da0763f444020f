"""orders written by the office and what is reported on them

Revision: 0027
Follows: 0026
"""

import sqlalchemy as sa
from alembic import op

import core.db

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "directive_report",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("directive_id", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("at", core.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directive.id"], name=op.f("fk_directive_report_directive_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directive_report")),
    )
    with op.batch_alter_table("directive_report", schema=None) as batch_op:
        batch_op.create_index("ix_directive_report_directive", ["directive_id", "at"], unique=False)

    with op.batch_alter_table("directive", schema=None) as batch_op:
        batch_op.add_column(sa.Column("given_by", sa.String(), nullable=True))
        batch_op.create_index("ix_directive_age", ["state", "marked_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("directive", schema=None) as batch_op:
        batch_op.drop_index("ix_directive_age")
        batch_op.drop_column("given_by")

    with op.batch_alter_table("directive_report", schema=None) as batch_op:
        batch_op.drop_index("ix_directive_report_directive")

    op.drop_table("directive_report")
