"""papers are scanned, several people stand behind a petition

Revision: 0016
Follows: 0015
"""

import sqlalchemy as sa
from alembic import op

import core.db
from reception.visitors.rules import sounds

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('visitor_kin',
    sa.Column('of_id', sa.String(), nullable=False),
    sa.Column('visitor_id', sa.String(), nullable=False),
    sa.Column('relation', sa.String(), nullable=False),
    sa.Column('at', core.db.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['of_id'], ['visitor.id'], name=op.f('fk_visitor_kin_of_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['visitor_id'], ['visitor.id'], name=op.f('fk_visitor_kin_visitor_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('of_id', 'visitor_id', name=op.f('pk_visitor_kin'))
    )

    with op.batch_alter_table('visitor_kin', schema=None) as batch_op:
        batch_op.create_index('ix_visitor_kin_visitor', ['visitor_id'], unique=False)

    op.create_table('follow_satisfaction',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('petition_id', sa.String(), nullable=False),
    sa.Column('settled_at', core.db.UtcDateTime(), nullable=False),
    sa.Column('centre_id', sa.String(), nullable=False),
    sa.Column('department_id', sa.String(), nullable=True),
    sa.Column('type_id', sa.String(), nullable=False),
    sa.Column('score', sa.Integer(), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('at', core.db.UtcDateTime(), nullable=False),
    sa.CheckConstraint('score BETWEEN 1 AND 5', name=op.f('ck_follow_satisfaction_score')),
    sa.ForeignKeyConstraint(['petition_id'], ['petition.id'], name=op.f('fk_follow_satisfaction_petition_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_follow_satisfaction'))
    )

    with op.batch_alter_table('follow_satisfaction', schema=None) as batch_op:
        batch_op.create_index('ix_follow_satisfaction_at', ['at'], unique=False)
        batch_op.create_index('ix_follow_satisfaction_petition', ['petition_id', 'settled_at'], unique=True)

    op.create_table('petition_party',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('petition_id', sa.String(), nullable=False),
    sa.Column('visitor_id', sa.String(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('relation', sa.String(), nullable=False),
    sa.Column('told', sa.Boolean(), nullable=False),
    sa.Column('power', sa.String(), nullable=False),
    sa.Column('power_number', sa.String(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('proof_id', sa.String(), nullable=True),
    sa.Column('at', core.db.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['petition_id'], ['petition.id'], name=op.f('fk_petition_party_petition_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['visitor_id'], ['visitor.id'], name=op.f('fk_petition_party_visitor_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_petition_party')),
    sa.UniqueConstraint('petition_id', 'visitor_id', name=op.f('uq_petition_party_petition_id_visitor_id'))
    )

    with op.batch_alter_table('petition_party', schema=None) as batch_op:
        batch_op.create_index('ix_petition_party_visitor', ['visitor_id'], unique=False)

    op.create_table('petition_principal_silence',
    sa.Column('petition_id', sa.String(), nullable=False),
    sa.Column('at', core.db.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['petition_id'], ['petition.id'], name=op.f('fk_petition_principal_silence_petition_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('petition_id', name=op.f('pk_petition_principal_silence'))
    )

    op.create_table('verification_claim',
    sa.Column('petition_id', sa.String(), nullable=False),
    sa.Column('staff_id', sa.String(), nullable=False),
    sa.Column('until', core.db.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['petition_id'], ['petition.id'], name=op.f('fk_verification_claim_petition_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('petition_id', name=op.f('pk_verification_claim'))
    )

    with op.batch_alter_table('verification_claim', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_verification_claim_staff_id'), ['staff_id'], unique=False)

    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(), server_default='paper', nullable=False))
        batch_op.add_column(sa.Column('pages', sa.Integer(), server_default='1', nullable=False))
        batch_op.add_column(sa.Column('scan', sa.String(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('found', sa.String(), server_default='', nullable=False))
        batch_op.create_index('ix_attachment_scan', ['scan', 'at'], unique=False)

    # Names that are known already are found by their sound, too.
    visitor = sa.table("visitor", sa.column("id"), sa.column("name"))
    word = sa.table("visitor_word", sa.column("word"), sa.column("visitor_id"))
    bind = op.get_bind()
    last = ""
    while rows := bind.execute(
        sa.select(visitor.c.id, visitor.c.name).where(visitor.c.id > last).order_by(visitor.c.id).limit(1000)
    ).all():
        last = rows[-1].id
        entries = [{"word": entry, "visitor_id": row.id} for row in rows for entry in sounds(row.name)]
        if entries:
            bind.execute(word.insert(), entries)


def downgrade() -> None:
    op.execute("DELETE FROM visitor_word WHERE word LIKE '~%'")
    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.drop_index('ix_attachment_scan')
        batch_op.drop_column('found')
        batch_op.drop_column('scan')
        batch_op.drop_column('pages')
        batch_op.drop_column('kind')

    op.drop_table('verification_claim')
    op.drop_table('petition_principal_silence')
    op.drop_table('petition_party')
    op.drop_table('follow_satisfaction')
    op.drop_table('visitor_kin')
